/* What the files of the rig share among themselves. */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "core_rig.h"

/* Around each event for the core: allocations in between are the core's, and may be made to fail. */
void rig_enter_core(void);
void rig_leave_core(void);

/** client_told() - @bytes became readable for the client; fake_kernel's `told`. */
void client_told(struct fake_connection *connection, const uint8_t *bytes, size_t size);
void client_free(struct client *client);
/** client_format() - @params with its values, on the heap; NULL for NULL. */
char *client_format(const char *params, va_list values);

#endif
