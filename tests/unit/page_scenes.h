/* What stands between proto/PROTOCOL.md and the broker that plays it: who says the lines of an exchange, and what
 * there must be before it begins. */
#ifndef PAGE_SCENES_H
#define PAGE_SCENES_H

#include "core_rig.h"

/* Who says and hears the lines, by what is asked and told: see page_speaker(). */
enum role { SENDER, TARGET, CATALYST, OPERATOR, NEWCOMER, ROLE_COUNT };

enum { PLAY_LINES_MAX = 64, PLAY_BOUND_MAX = 64, PLAY_VALUE_MAX = 160 };

/* A broker, its clients and what they have heard. */
struct play {
    struct rig *rig;
    struct client *who[ROLE_COUNT];
    struct {
        char *lines[PLAY_LINES_MAX];
        size_t count, next;
    } heard[ROLE_COUNT];
    /* What stands in the page for a value that nobody knows before: `key` says of which kind it is. */
    struct {
        const char *key;
        bool heard; /* and not given by the scene */
        char page[PLAY_VALUE_MAX], here[PLAY_VALUE_MAX];
    } bound[PLAY_BOUND_MAX];
    size_t bound_count;
};

struct scene {
    const char *mark; /* stands in the first line of the exchange */
    void (*begin)(struct play *play);
    /* Called before, and after, each request of the exchange; NULL: nothing else happens. */
    void (*before)(struct play *play, unsigned id);
    void (*after)(struct play *play);
    bool figures; /* counters and times are not compared */
    bool among;   /* what is told is told among other notifications */
};

extern const struct scene page_scenes[];
extern const size_t page_scenes_count;

/** page_speaker() - who asks what the page shows as a request with @id. */
enum role page_speaker(enum hbk_method method, unsigned id);

/* ---- for the scenes (test_core_page.c) ---- */

/** play_join() - a process with @pid, connected and proven, plays @role. */
struct client *play_join(struct play *play, enum role role, uint32_t pid);
/** play_bind() - @number is here what the page calls @page. */
void play_bind(struct play *play, const char *key, const char *page, uint64_t number);
/** play_bind_heard() - what the page calls @page is here the value of @key in the last line that @role has heard. */
void play_bind_heard(struct play *play, enum role role, const char *key, const char *page);
/** play_forget() - what anybody has heard up to now. */
void play_forget(struct play *play);

#endif
