/* One hash for everything: linked into the tests of the core a second time, so that whoever is told apart is told apart
 * by who it is. With the real one, two names of one hash are not to be found. */
#include "table.h"

/* What the linker calls in the place of hbk_hash(). */
uint64_t __wrap_hbk_hash(const struct hbk_hash_key *key, const void *first, size_t first_size,
                         const void *second, size_t second_size);

uint64_t __wrap_hbk_hash(const struct hbk_hash_key *key, const void *first, size_t first_size,
                         const void *second, size_t second_size)
{
    (void)key;
    (void)first;
    (void)first_size;
    (void)second;
    (void)second_size;
    return 4;
}
