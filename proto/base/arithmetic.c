#include "base.h"

bool hbk_add_u32(uint32_t a, uint32_t b, uint32_t *ret_value)
{
    if (a > UINT32_MAX - b)
        return false;
    *ret_value = a + b;
    return true;
}

bool hbk_add_size(size_t a, size_t b, size_t *ret_value)
{
    if (a > SIZE_MAX - b)
        return false;
    *ret_value = a + b;
    return true;
}

bool hbk_mul_size(size_t a, size_t b, size_t *ret_value)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *ret_value = a * b;
    return true;
}
