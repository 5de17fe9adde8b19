/* Sends of one session to one address (a name, or a name in a process) are placed, or offered, in the order in which they were read: what waits
 * holds back those behind it. */
#include "internal.h"

void hbk_lane_enter(struct hbk_delivery *delivery)
{
    struct hbk_session *sender = delivery->sender;
    struct hbk_link *link = delivery->send_link.prev;

    for (; link != &sender->sends; link = link->prev) {
        struct hbk_delivery *other = HBK_CONTAINER(link, struct hbk_delivery, send_link);

        if (other->in_lane && other->name_hash == delivery->name_hash &&
            other->to_pid == delivery->to_pid && hbk_text_equal(other->name, delivery->name)) {
            HBK_ASSERT(other->behind == NULL);
            other->behind = delivery;
            delivery->ahead = other;
            break;
        }
    }
    delivery->in_lane = true;
}

void hbk_lane_leave(struct hbk_delivery *delivery)
{
    struct hbk_delivery *ahead = delivery->ahead, *behind = delivery->behind;

    if (!delivery->in_lane) {
        return;
    }
    delivery->in_lane = false;
    delivery->ahead = delivery->behind = NULL;
    if (ahead != NULL) {
        ahead->behind = behind;
    }
    if (behind != NULL) {
        behind->ahead = ahead;
        if (ahead == NULL) {
            HBK_ASSERT(behind->state == HBK_DELIVERY_BEHIND);
            hbk_delivery_make_ready(behind);
        }
    }
}
