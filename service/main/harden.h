/* What the process gives up before it listens, and whether what is left is no more than it needs. */
#ifndef HBK_HARDEN_H
#define HBK_HARDEN_H

#include "base.h"

/** hbk_harden() - mitigations of the whole process; once, before anything else. What an older Windows refuses of
 * them is left out: they are a second line of defence. */
void hbk_harden(void);

/* Something that is wider than it needs to be, and what to do. */
typedef void (*hbk_harden_warn)(void *context, uint32_t win32, const char *advice);

/**
 * hbk_harden_service() - drop every privilege but the needed ones, for good, and look at how the service is installed
 *
 * Asks the Service Control Manager; in the service only, before it serves. Each finding is told once.
 */
void hbk_harden_service(hbk_harden_warn warn, void *context);

#endif
