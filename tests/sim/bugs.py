"""The planted bugs: for each the invariants that may catch it, within how many seeds, and how the core's sources
are changed to have it. A change is (file, what stands there once, what stands there instead); BUG is the test
whether this bug is on. Where an assertion of the core would be first, it is silenced too: the bug is to be caught
by the simulator's own checks."""
from collections import namedtuple

Bug = namedtuple("Bug", "name invariants seeds changes")

BUGS = [
    Bug("subset_check_skipped", "rights only shrink", 100, [
        ("item.c", "if ((access & ~most) != 0) {", "if ((access & ~most) != 0 && !BUG) {"),
        ("item.c", "HBK_ASSERT((access & ~most) == 0);", "HBK_ASSERT(BUG || (access & ~most) == 0);"),
        ("place.c", "HBK_ASSERT(item->value == 0 && (item->access & ~item->granted) == 0);",
         "HBK_ASSERT(BUG || (item->value == 0 && (item->access & ~item->granted) == 0));"),
    ]),
    Bug("rights_not_reduced", "rights only shrink|answers are true", 100, [
        ("item.c", "item->same = access == item->granted;", "item->same = access == item->granted || BUG;"),
    ]),
    Bug("generation_reused", "ids are used once", 50, [
        ("pool.c", "generation == GENERATION_MAX ? 1 : generation + 1;",
         "generation == GENERATION_MAX ? 1 : BUG && generation > 0 ? generation : generation + 1;"),
    ]),
    Bug("rollback_forgotten", "a failed send leaves nothing|untold values|told or untold", 200, [
        ("ending.c", "    (void)hbk_place_undo(delivery, HBK_ITEMS_MAX);\n",
         "    if (!BUG) {\n        (void)hbk_place_undo(delivery, HBK_ITEMS_MAX);\n    }\n"),
        ("ending.c", "HBK_ASSERT(item->pin != 0 && item->value == 0 && !item->made);",
         "HBK_ASSERT(BUG || (item->pin != 0 && item->value == 0 && !item->made));"),
        ("socket.c", "        HBK_ASSERT(!delivery->items[i].made);\n",
         "        HBK_ASSERT(BUG || !delivery->items[i].made);\n"),
    ]),
    Bug("last_item_not_rolled_back", "a failed send leaves nothing|untold values|told or untold", 200, [
        ("place.c", "for (size_t i = 0; i < delivery->item_count && count < max; i++) {",
         "for (size_t i = 0; i + (BUG && delivery->item_count > 1) < delivery->item_count && count < max; i++) {"),
        ("ending.c", "HBK_ASSERT(BUG(rollback_forgotten) ||",
         "HBK_ASSERT(BUG || BUG(rollback_forgotten) ||"),
        ("socket.c", "HBK_ASSERT(BUG(rollback_forgotten) ||",
         "HBK_ASSERT(BUG || BUG(rollback_forgotten) ||"),
    ]),
    Bug("untold_left_behind", "untold values|dead sessions|assertion", 100, [
        ("output.c", "        hbk_place_untold(session, &session->in_flight);\n",
         "        if (!BUG) {\n            hbk_place_untold(session, &session->in_flight);\n        }\n"),
    ]),
    Bug("placed_from_the_value", "what was checked is delivered", 50, [
        ("place.c", "        core->spent++;\n        if (core->platform.place(",
         "        core->spent++;\n        if (BUG) {\n"
         "            (void)core->platform.pin(delivery->sender->connection, item->handle, &item->pin, &failure);\n"
         "        }\n        if (core->platform.place("),
    ]),
    Bug("pins_mixed_up", "what was checked is delivered|rights only shrink|both sides agree|untold values|"
        "told or untold", 100, [
        ("place.c", "core->platform.place(hbk_delivery_party(delivery), item->pin,",
         "core->platform.place(hbk_delivery_party(delivery),\n"
         "            BUG ? delivery->items[(i + 1) % delivery->item_count].pin : item->pin,"),
    ]),
    Bug("pin_leaked", "broker handles", 50, [
        ("ending.c", "        if (core->platform.unpin(",
         "        if (BUG && delivery->item_count > 2) {\n            pin_closed(delivery);\n            continue;\n"
         "        }\n        if (core->platform.unpin("),
    ]),
    Bug("pin_closed_twice", "the seam", 50, [
        ("ending.c", "        if (BUG(pin_leaked)",
         "        if (BUG) {\n            (void)core->platform.unpin(core->platform.context, delivery->sender->user->closer,\n"
         "                                       item->pin, may_block, delivery->slot.id << 1);\n        }\n"
         "        if (BUG(pin_leaked)"),
    ]),
    Bug("file_closed_on_the_loop", "the seam", 50, [
        ("ending.c", "hbk_type_info((enum hbk_type)item->type)->close_may_block;",
         "hbk_type_info((enum hbk_type)item->type)->close_may_block && !BUG;"),
    ]),
    Bug("answered_twice", "answered once", 50, [
        ("delivery.c", "    answer_success(delivery);\n",
         "    answer_success(delivery);\n    if (BUG) {\n        answer_success(delivery);\n    }\n"),
    ]),
    Bug("timeout_not_answered", "answered once", 100, [
        ("ending.c", "    if (hbk_delivery_claim_answer(delivery)) {\n        hbk_output_failure(",
         "    if (hbk_delivery_claim_answer(delivery) && !(BUG && error->code == HBK_R_TIMEOUT)) {\n        hbk_output_failure("),
    ]),
    Bug("stop_not_answered", "answered once", 400, [
        ("ending.c", "void hbk_delivery_stop_sends(struct hbk_session *sender)\n{\n",
         "void hbk_delivery_stop_sends(struct hbk_session *sender)\n{\n    if (BUG) {\n        return;\n    }\n"),
    ]),
    Bug("reading_never_goes_on", "answered once|others are served", 50, [
        ("session.c", "if (session->fed && !session->input_ready && hbk_session_alive(session)) {",
         "if (session->fed && !session->input_ready && hbk_session_alive(session) &&\n"
         "        !(BUG && session->sent > 1)) {"),
    ]),
    Bug("gone_told_twice", "answered once", 200, [
        ("output.c", "if (session->gone_told != gone && hbk_session_alive(session)) {",
         "if ((session->gone_told != gone || BUG) && hbk_session_alive(session)) {"),
    ]),
    Bug("untold_taken_for_told", "told or untold|untold values|records", 100, [
        ("output.c", "while (told && (link", "while ((told || BUG) && (link"),
    ]),
    Bug("placed_while_a_write_pends", "told or untold", 100, [
        ("output.c", "return !session->write_pending && session->state", "return (!session->write_pending || BUG) && session->state"),
    ]),
    Bug("pending_bytes_touched", "pending bytes", 100, [
        ("output.c", "    HBK_ASSERT(session->queued.size > begin);\n",
         "    HBK_ASSERT(session->queued.size > begin);\n    if (BUG && session->write_pending) {\n"
         "        session->writing.data[0] ^= 1;\n    }\n"),
    ]),
    Bug("line_without_its_end", "well-formed lines", 50, [
        ("output.c", "    hbk_write_error(&session->queued, id, error);\n",
         "    hbk_write_error(&session->queued, id, error);\n    session->queued.size -= BUG;\n"),
    ]),
    Bug("types_not_asked", "both sides agree", 100, [
        ("send.c", "uint32_t accepts = endpoint->any[item->type] ?", "uint32_t accepts = endpoint->any[item->type] || BUG ?"),
    ]),
    Bug("too_many_items_taken", "both sides agree", 200, [
        ("send.c", "if (delivery->item_count > endpoint->items_max) {",
         "if (delivery->item_count > endpoint->items_max && !BUG) {"),
    ]),
    Bug("expect_not_asked", "both sides agree", 100, [
        ("target.c", "return (address->expect_user.data == NULL ||", "return (BUG || address->expect_user.data == NULL ||"),
        ("target.c", "(address->expect_pid == 0 ||", "(BUG || address->expect_pid == 0 ||"),
    ]),
    Bug("from_not_asked", "both sides agree", 200, [
        ("grant.c", "if (endpoint->from == NULL || remembered(", "if (BUG || endpoint->from == NULL || remembered("),
    ]),
    Bug("offer_placed_at_once", "both sides agree", 100, [
        ("delivery.c", "delivery->endpoint != NULL && delivery->endpoint->mode == HBK_MODE_ASK) {",
         "delivery->endpoint != NULL && delivery->endpoint->mode == HBK_MODE_ASK && !BUG) {"),
    ]),
    Bug("accepted_by_anybody", "both sides agree|answers are true|answered once|assertion", 200, [
        ("offer.c", "        delivery->target == session) {", "        (delivery->target == session || BUG)) {"),
    ]),
    Bug("scopes_mixed_up", "rules|both sides agree|existence is not told|assertion", 200, [
        ("endpoint.c", "return hbk_hash(&core->hash_key, scope->digest, sizeof scope->digest, name.data, name.size);",
         "return hbk_hash(&core->hash_key, scope->digest, BUG ? 0 : sizeof scope->digest, name.data, name.size);"),
        ("endpoint.c", "if (endpoint->scope == scope &&", "if ((endpoint->scope == scope || BUG) &&"),
    ]),
    Bug("old_rules_kept", "rules|existence is not told", 200, [
        ("grant.c", "return grant->generation == session->core->generation &&",
         "return (grant->generation == session->core->generation || BUG) &&"),
        ("delivery.c", "if (delivery->generation == core->generation) {",
         "if (delivery->generation == core->generation || BUG) {"),
    ]),
    Bug("listening_without_a_right", "rules", 200, [
        ("grant.c", "    endpoint->may_listen = decision == HBK_DECISION_GRANTED ||",
         "    endpoint->may_listen = BUG || decision == HBK_DECISION_GRANTED ||"),
    ]),
    Bug("cap_not_asked", "rules", 200, [
        ("item.c", "    uint32_t cap = hbk_policy_cap(core->policy, limit_rule, type);\n",
         "    uint32_t cap = BUG ? UINT32_MAX : hbk_policy_cap(core->policy, limit_rule, type);\n"),
    ]),
    Bug("inspect_for_everybody", "rules", 200, [
        ("operate.c", "    if (hbk_grant_verb(session, HBK_VERB_INSPECT)) {", "    if (hbk_grant_verb(session, HBK_VERB_INSPECT) || BUG) {"),
    ]),
    Bug("existence_told", "existence is not told", 200, [
        ("target.c", "        return HBK_TARGET_E_DENIED;\n    }\n    if (endpoint == NULL ||",
         "        return BUG ? HBK_TARGET_E_NONE : HBK_TARGET_E_DENIED;\n    }\n    if (endpoint == NULL ||"),
    ]),
    Bug("proof_not_asked", "who is who|the seam", 100, [
        ("request.c", "if (!core->platform.proof_is_set(session->connection)) {",
         "if (!core->platform.proof_is_set(session->connection) && !BUG) {"),
    ]),
    Bug("wrong_sender_told", "who is who", 50, [
        ("delivery.c", ".from = hbk_session_as_sender(delivery->sender),",
         ".from = hbk_session_as_sender(BUG ? delivery->target : delivery->sender),"),
    ]),
    Bug("proof_left_open", "proofs|the seam", 50, [
        ("session.c", "if (session->state == HBK_SESSION_HELLO) {", "if (session->state == HBK_SESSION_HELLO && !BUG) {"),
    ]),
    Bug("order_lost", "order", 200, [
        ("lane.c", "    struct hbk_link *link = delivery->send_link.prev;\n",
         "    struct hbk_link *link = BUG ? &sender->sends : delivery->send_link.prev;\n"),
    ]),
    Bug("taken_back_after_it_was_told", "no foreign close", 50, [
        ("delivery.c", "        delivery->items[i].value = 0;\n        delivery->items[i].made = false;\n",
         "        if (BUG) {\n            (void)core_of(delivery)->platform.unplace(hbk_delivery_party(delivery),\n"
         "                delivery->items[i].pin, delivery->items[i].value);\n        }\n"
         "        delivery->items[i].value = 0;\n        delivery->items[i].made = false;\n"),
    ]),
    Bug("handle_changed", "no pseudo-handle|what was checked is delivered", 50, [
        ("item.c", "    item->handle = wanted->handle;\n", "    item->handle = wanted->handle + (BUG ? 1 : 0);\n"),
        ("item.c", "item->handle % 4 == 0 &&", "(item->handle % 4 == 0 || BUG) &&"),
    ]),
    Bug("item_forgotten", "all or nothing", 100, [
        ("delivery.c", "        .items_count = delivery->item_count,\n        .items = items,\n        .data",
         "        .items_count = delivery->item_count - (BUG && delivery->item_count > 1),\n"
         "        .items = items,\n        .data"),
    ]),
    Bug("proof_kept", "proofs", 50, [
        ("request.c", "if (core->platform.proof_close(session->connection) != HBK_PLATFORM_PENDING) {",
         "if (BUG || core->platform.proof_close(session->connection) != HBK_PLATFORM_PENDING) {"),
    ]),
    Bug("pending_not_given_back", "counters of users", 50, [
        ("ending.c", "hbk_quota_give(delivery->sender, HBK_QUOTA_PENDING, 1);",
         "hbk_quota_give(delivery->sender, HBK_QUOTA_PENDING, BUG && delivery->item_count > 1 ? 0 : 1);"),
    ]),
    Bug("bytes_not_counted", "counters of users", 50, [
        ("quota.c", "    session->bytes = bytes;\n    if (bytes >= before) {\n",
         "    if (BUG && bytes > before) {\n        return;\n    }\n    session->bytes = bytes;\n    if (bytes >= before) {\n"),
    ]),
    Bug("session_not_released", "dead sessions", 50, [
        ("session.c", "        hbk_list_empty(&session->untold)) {",
         "        hbk_list_empty(&session->untold) && !(BUG && session->sent > 0)) {"),
    ]),
    Bug("write_deadline_forgotten", "deadlines|progress", 200, [
        ("output.c", "session->write_due = hbk_now(core) + core->config.write_ms;",
         "session->write_due = BUG ? HBK_NEVER : hbk_now(core) + core->config.write_ms;"),
    ]),
    Bug("hello_deadline_forgotten", "deadlines", 100, [
        ("session.c", "session->hello_due = session->opened_ms + core->config.hello_ms;",
         "session->hello_due = BUG ? HBK_NEVER : session->opened_ms + core->config.hello_ms;"),
    ]),
    Bug("record_forgotten", "records", 100, [
        ("delivery.c", "    hbk_audit_delivery(delivery, hbk_delivery_event(delivery), NULL);\n",
         "    if (!(BUG && delivery->item_count > 1)) {\n"
         "        hbk_audit_delivery(delivery, hbk_delivery_event(delivery), NULL);\n    }\n"),
    ]),
    Bug("descriptor_leaked", "descriptors", 200, [
        ("endpoint.c", "if (endpoint != NULL && endpoint->from != NULL) {", "if (endpoint != NULL && endpoint->from != NULL && !BUG) {"),
    ]),
    Bug("widenable_denied", "answers are true", 100, [
        ("place.c", "        return HBK_WIDENABLE_UNKNOWN;\n    }\n",
         "        return HBK_WIDENABLE_UNKNOWN;\n    }\n"
         "    if (BUG) {\n        return HBK_WIDENABLE_NO;\n    }\n"),
    ]),
    Bug("too_early", "answers are true", 200, [
        ("delivery.c", "hbk_now(core_of(delivery)) + delivery->timeout_ms);",
         "hbk_now(core_of(delivery)) + delivery->timeout_ms / (BUG ? 4 : 1));"),
    ]),
    Bug("hung_up_on", "sessions end for a reason", 200, [
        ("offer.c", "    hbk_audit_reject(session, delivery);\n    hbk_delivery_fail(delivery, &error);\n",
         "    hbk_audit_reject(session, delivery);\n    hbk_delivery_fail(delivery, &error);\n"
         "    if (BUG) {\n        hbk_session_hang_up(session, HBK_R_TARGET_GONE);\n        return;\n    }\n"),
    ]),
    Bug("never_enough", "progress", 50, [
        ("work.c", "    if (turn == NULL) {\n        return false;\n", "    if (turn == NULL) {\n        return BUG;\n"),
    ]),
    Bug("others_not_served", "others are served", 200, [
        ("delivery.c", "    if (!hbk_quota_check_endpoint(endpoint, delivery->sender)) {",
         "    if (!hbk_quota_check_endpoint(endpoint, delivery->sender) || (BUG && core->delivered > 30)) {"),
    ]),
    Bug("refused_connection_closed", "sessions end for a reason", 200, [
        ("session.c", "refused:\n    hbk_core_process_release(core, process);\n",
         "refused:\n    if (BUG) {\n        core->platform.close(connection);\n    }\n    hbk_core_process_release(core, process);\n"),
    ]),
    Bug("used_after_its_end", "end of the program", 100, [
        ("ending.c", "    free(delivery->text);\n    hbk_pool_free(&core->delivery_pool, delivery);\n",
         "    free(delivery->text);\n    if (BUG) {\n        core->delivered += *(volatile char *)delivery->text == 0;\n    }\n"
         "    hbk_pool_free(&core->delivery_pool, delivery);\n"),
    ]),
    # ---- the store ----
    Bug("allow_not_asked", "entries are given to whom they are for", 100, [
        ("take.c", "        return own(session, entry);\n    }\n    core->spent++;\n    return (",
         "        return own(session, entry);\n    }\n    core->spent++;\n    return BUG || ("),
    ]),
    Bug("entry_of_others_given", "entries are given to whom they are for|existence is not told", 200, [
        ("take.c", "        return own(session, entry);\n    }\n    core->spent++;\n    return BUG(allow_not_asked)",
         "        return BUG || own(session, entry);\n    }\n    core->spent++;\n    return BUG(allow_not_asked)"),
    ]),
    Bug("ticket_passed_on", "entries are given to whom they are for", 400, [
        ("take.c", "    return own(session, entry) || hbk_grant_name(", "    return BUG || own(session, entry) || hbk_grant_name("),
    ]),
    Bug("get_not_ruled", "entries are given to whom they are for|existence is not told", 100, [
        ("take.c", "if (delivery->name.data != NULL && !hbk_grant_name(", "if (!BUG && delivery->name.data != NULL && !hbk_grant_name("),
    ]),
    Bug("put_not_ruled", "rules|existence is not told", 100, [
        ("store.c", "if (ruled.data != NULL && !hbk_grant_name(", "if (!BUG && ruled.data != NULL && !hbk_grant_name("),
    ]),
    Bug("given_more_than_was_put", "rights only shrink", 100, [
        ("take.c", "hbk_item_reduce(&item, entry->item.access, ret_error)",
         "hbk_item_reduce(&item, BUG ? entry->item.granted : entry->item.access, ret_error)"),
    ]),
    Bug("take_not_capped", "rules", 200, [
        ("take.c", "ret_error) != 0 ||\n        hbk_item_check_cap(", "ret_error) != 0 ||\n        (!BUG && hbk_item_check_cap("),
        ("take.c", "(enum hbk_type)item.type, item.access, ret_error) != 0) {",
         "(enum hbk_type)item.type, item.access, ret_error) != 0)) {"),
    ]),
    Bug("once_on_two_ways", "once means once", 200, [
        ("take.c", "(entry->taker == NULL || entry->taker == delivery)", "(BUG || entry->taker == NULL || entry->taker == delivery)"),
        ("take.c", "        HBK_ASSERT(entry->taker == delivery);\n", "        HBK_ASSERT(BUG || entry->taker == delivery);\n"),
        ("take.c", "(entry->taker != NULL) == entry->once);", "(BUG || (entry->taker != NULL) == entry->once));"),
    ]),
    Bug("once_kept", "once means once|entries end", 50, [
        ("take.c", "        entry->taker = NULL;\n        hbk_store_drop(entry);\n",
         "        entry->taker = NULL;\n        if (!BUG) {\n            hbk_store_drop(entry);\n        }\n"),
    ]),
    Bug("once_lost", "what is stored stays|names", 200, [
        ("take.c", "    if (!told) {\n        let_go(delivery);\n",
         "    if (!told) {\n        let_go(delivery);\n        if (BUG && entry->once) {\n            hbk_store_drop(entry);\n        }\n"),
    ]),
    Bug("once_held_back", "others are served|answers are true|counters of users", 200, [
        ("take.c", "        entry->taker = NULL;\n        hbk_take_wake(entry);\n",
         "        entry->taker = BUG ? entry->taker : NULL;\n        hbk_take_wake(entry);\n"),
    ]),
    Bug("takers_not_woken", "answers are true", 100, [
        ("store.c", "    hbk_take_wake(entry);", "    if (!BUG) {\n        hbk_take_wake(entry);\n    }"),
    ]),
    Bug("time_to_live_forgotten", "entries end|answers are true", 100, [
        ("store.c", "&entry->timer, ttl_ms != 0 ?", "&entry->timer, ttl_ms != 0 && !BUG ?"),
    ]),
    Bug("session_outlived", "entries end", 50, [
        ("store.c", "if (entry->lifetime == HBK_LIFETIME_SESSION) {", "if (entry->lifetime == HBK_LIFETIME_SESSION && !BUG) {"),
    ]),
    Bug("session_not_outlived", "what is stored stays|names", 50, [
        ("store.c", "if (entry->lifetime == HBK_LIFETIME_SESSION && !BUG(session_outlived)) {",
         "if ((BUG || entry->lifetime == HBK_LIFETIME_SESSION) && !BUG(session_outlived)) {"),
    ]),
    Bug("replaced_by_others", "names|what is stored stays", 200, [
        ("store.c", "before->owner != session->scopes[HBK_SCOPE_USER])) {", "(before->owner != session->scopes[HBK_SCOPE_USER] && !BUG))) {"),
    ]),
    Bug("replaced_unasked", "names", 50, [
        ("store.c", "if (before != NULL && hbk_store_has(before) &&", "if (!BUG && before != NULL && hbk_store_has(before) &&"),
    ]),
    Bug("removed_by_anybody", "rules|answers are true", 100, [
        ("store.c", "    return entry->owner == session->scopes[HBK_SCOPE_USER] ||\n",
         "    return BUG || entry->owner == session->scopes[HBK_SCOPE_USER] ||\n"),
    ]),
    Bug("nearly_the_ticket", "entries are given to whom they are for", 100, [
        ("store.c", "hbk_hash(&core->hash_key, ticket, HBK_TICKET_BYTES / 2, NULL, 0)",
         "hbk_hash(&core->hash_key, ticket, BUG ? 0 : HBK_TICKET_BYTES / 2, NULL, 0)"),
        ("store.c", "for (size_t i = 0; i < HBK_TICKET_BYTES / 2; i++) {\n        different",
         "for (size_t i = 0; i < HBK_TICKET_BYTES / 2 - (BUG ? 1 : 0); i++) {\n        different"),
    ]),
    Bug("tickets_half_random", "tickets", 50, [
        ("store.c", "entry->ticket, sizeof entry->ticket);", "entry->ticket, BUG ? 8 : sizeof entry->ticket);"),
    ]),
    Bug("stored_bytes_not_given_back", "counters of users", 50, [
        ("store.c", "HBK_QUOTA_STORED_BYTES, entry->charged);\n    core->platform.descriptor_free",
         "HBK_QUOTA_STORED_BYTES, BUG ? 0 : entry->charged);\n    core->platform.descriptor_free"),
    ]),
    Bug("data_not_charged", "answers are true", 50, [
        ("store.c", "params->name.size + params->data.size + params->allow.size);",
         "params->name.size + (BUG ? 0 : params->data.size) + params->allow.size);"),
    ]),
    Bug("entry_leaked", "broker handles", 50, [
        ("store.c", "    if (entry->item.pin == 0 ||\n", "    if (entry->item.pin == 0 || BUG ||\n"),
    ]),
    Bug("entry_closed_while_taken", "the seam|assertion|end of the program", 200, [
        ("store.c", "    if (entry->stored || entry->takes > 0) {\n", "    if (entry->stored || (entry->takes > 0 && !BUG)) {\n"),
        ("store.c", "    HBK_ASSERT(!entry->stored && entry->takes == 0 &&", "    HBK_ASSERT(!entry->stored && (BUG || entry->takes == 0) &&"),
    ]),
    Bug("allow_leaked", "descriptors", 50, [
        ("store.c", "core->platform.descriptor_free(core->platform.context, entry->allow);",
         "core->platform.descriptor_free(core->platform.context, BUG ? NULL : entry->allow);"),
    ]),
    Bug("store_shown_to_all", "existence is not told", 200, [
        ("entries.c", "    return hbk_grant_name(session, HBK_VERB_GET, entry->name) && hbk_take_allowed(session, entry);\n",
         "    return BUG ||\n           (hbk_grant_name(session, HBK_VERB_GET, entry->name) && hbk_take_allowed(session, entry));\n"),
    ]),
    Bug("entry_hidden", "answers are true", 100, [
        ("entries.c", "    if (!hbk_store_has(entry)) {", "    if (!hbk_store_has(entry) || (BUG && entry->once)) {"),
    ]),
    # ---- transfers ----
    Bug("transfer_by_anybody", "rules|third parties", 50, [
        ("transfer.c", "if (!hbk_grant_verb(session, HBK_VERB_TRANSFER)) {", "if (!hbk_grant_verb(session, HBK_VERB_TRANSFER) && !BUG) {"),
    ]),
    Bug("system_not_left_alone", "third parties", 50, [
        ("transfer.c", "    if (pid != SYSTEM_PID && pid != core->config.pid) {", "    if (BUG || (pid != SYSTEM_PID && pid != core->config.pid)) {"),
    ]),
    Bug("placed_with_the_wrong_one", "third parties", 50, [
        ("delivery.c", "    return delivery->process != NULL ?", "    return delivery->process != NULL && !BUG ?"),
    ]),
    Bug("target_process_kept", "broker handles", 50, [
        ("ending.c", "platform.process_close(delivery->process);", "platform.process_close(BUG ? NULL : delivery->process);"),
    ]),
    Bug("source_process_kept", "broker handles", 50, [
        ("send.c", "platform.process_close(delivery->source);", "platform.process_close(BUG ? NULL : delivery->source);"),
    ]),
    Bug("notified_nobody", "third parties|told or untold", 50, [
        ("delivery.c", "hbk_transfer_answer(delivery, delivery->items[0].value, false);", "hbk_transfer_answer(delivery, delivery->items[0].value, BUG);"),
    ]),
    Bug("not_told_another_way", "third parties", 400, [
        ("place.c", "        hbk_session_alive(delivery->sender)) {\n", "        hbk_session_alive(delivery->sender) && !BUG) {\n"),
    ]),
    Bug("inherit_forgotten", "answers are true", 50, [
        ("place.c", "return item->inherit && delivery->endpoint == NULL;", "return item->inherit && delivery->endpoint == NULL && !BUG;"),
    ]),
    # ---- revocation ----
    Bug("revoked_by_anybody", "revocation", 50, [
        ("revoke.c", "(delivery->sender != session && !hbk_grant_verb(", "(delivery->sender != session && !BUG && !hbk_grant_verb("),
    ]),
    Bug("revocable_not_agreed", "both sides agree", 50, [
        ("send.c", "if (delivery->revocable && !endpoint->revocable) {", "if (delivery->revocable && !endpoint->revocable && !BUG) {"),
    ]),
    Bug("revoked_what_was_closed", "revocation", 200, [
        ("revoke.c", "            core->platform.unplace(", "            BUG | core->platform.unplace("),
    ]),
    Bug("revoked_what_is_placed", "no foreign close", 200, [
        ("revoke.c", "        if (value == 0 || pid_of(other) != pid) {\n", "        if (BUG || value == 0 || pid_of(other) != pid) {\n"),
    ]),
    Bug("revoked_in_silence", "revocation", 50, [
        ("revoke.c", "    (void)hbk_output_notification(target, HBK_METHOD_DELIVERY_REVOKED, &params);\n",
         "    if (!BUG) {\n        (void)hbk_output_notification(target, HBK_METHOD_DELIVERY_REVOKED, &params);\n    }\n"),
    ]),
    Bug("revoked_while_it_is_told", "revocation", 400, [
        ("revoke.c", "    if (delivery->state == HBK_DELIVERY_WRITING) {\n", "    if (delivery->state == HBK_DELIVERY_WRITING && !BUG) {\n"),
        ("revoke.c", "    hbk_delivery_cancel(delivery);\n",
         "    if (delivery->state != HBK_DELIVERY_WRITING) {\n        hbk_delivery_cancel(delivery);\n    }\n"),
    ]),
    Bug("given_not_kept", "broker handles|answers are true|revocation", 50, [
        ("revoke.c", "    if (!hbk_session_alive(sender) || !hbk_session_alive(target)) {", "    if (BUG || !hbk_session_alive(sender) || !hbk_session_alive(target)) {"),
    ]),
    Bug("given_kept_for_ever", "broker handles|dead sessions|assertion", 100, [
        ("revoke.c", "    while (!hbk_list_empty(&session->given)) {\n", "    while (!hbk_list_empty(&session->given) && !BUG) {\n"),
    ]),
    Bug("end_of_sharer_not_told", "revocation", 100, [
        ("revoke.c", "        hbk_output_gone(target, session->slot.id);\n",
         "        if (!BUG) {\n            hbk_output_gone(target, session->slot.id);\n        }\n"),
    ]),
    Bug("deliveries_shown_to_all", "existence is not told", 200, [
        ("deliveries.c", "(all || delivery->sender == session ||", "(BUG || all || delivery->sender == session ||"),
    ]),
    # ---- sockets ----
    Bug("socket_left_behind", "told or untold|untold values|a failed send leaves nothing", 200, [
        ("socket.c", "    if (!core->platform.sockets_undo(", "    if (!BUG && !core->platform.sockets_undo("),
    ]),
    Bug("late_sockets_left_behind", "told or untold|untold values", 200, [
        ("socket.c", "            if (delivery->items[i].made) {\n                hbk_socket_undo(delivery, i);\n",
         "            if (delivery->items[i].made && BUG) {\n                delivery->items[i].made = false;\n"
         "            } else if (delivery->items[i].made) {\n                hbk_socket_undo(delivery, i);\n"),
    ]),
    Bug("closed_under_the_worker", "the seam|assertion", 200, [
        ("ending.c", "    if (!delivery->making) {\n        hbk_delivery_close_later(delivery);\n    }\n",
         "    if (!delivery->making) {\n        hbk_delivery_close_later(delivery);\n    } else if (BUG) {\n"
         "        hbk_list_append(&delivery->sender->closing, &delivery->close_link);\n"
         "        hbk_work_add(delivery->sender, HBK_WORK_CLOSE);\n    }\n"),
    ]),
    Bug("lost_socket_not_counted", "untold values", 200, [
        ("socket.c", "    core->sockets_lost++;\n", "    core->sockets_lost += !BUG;\n"),
    ]),
    Bug("socket_deadline_forgotten", "deadlines", 200, [
        ("socket.c", "hbk_now(core) + HBK_SOCKET_DEADLINE_MS);", "BUG ? HBK_NEVER : hbk_now(core) + HBK_SOCKET_DEADLINE_MS);"),
    ]),
    # ---- the pause ----
    Bug("sent_while_paused", "paused", 50, [
        ("request.c", "    return method == HBK_METHOD_HANDLE_SEND || method == HBK_METHOD_HANDLE_TRANSFER ||\n",
         "    return (method == HBK_METHOD_HANDLE_SEND && !BUG) || method == HBK_METHOD_HANDLE_TRANSFER ||\n"),
    ]),
    Bug("transferred_while_paused", "paused", 100, [
        ("request.c", "!BUG(sent_while_paused)) || method == HBK_METHOD_HANDLE_TRANSFER ||",
         "!BUG(sent_while_paused)) || (method == HBK_METHOD_HANDLE_TRANSFER && !BUG) ||"),
    ]),
    Bug("put_while_paused", "paused", 100, [
        ("request.c", "           method == HBK_METHOD_STORE_PUT || method == HBK_METHOD_STORE_GET;",
         "           (method == HBK_METHOD_STORE_PUT && !BUG) || method == HBK_METHOD_STORE_GET;"),
    ]),
    Bug("got_while_paused", "paused", 100, [
        ("request.c", "!BUG(put_while_paused)) || method == HBK_METHOD_STORE_GET;",
         "!BUG(put_while_paused)) || (method == HBK_METHOD_STORE_GET && !BUG);"),
    ]),
    Bug("let_in_while_paused", "paused", 100, [
        ("request.c", "    if (session->core->paused && !hbk_grant_verb(", "    if (session->core->paused && !BUG && !hbk_grant_verb("),
    ]),
    Bug("operator_kept_out", "paused", 200, [
        ("request.c", "!BUG(let_in_while_paused) && !hbk_grant_verb(session, HBK_VERB_INSPECT)) {",
         "!BUG(let_in_while_paused) && (BUG || !hbk_grant_verb(session, HBK_VERB_INSPECT))) {"),
    ]),
    Bug("accepting_paused", "paused", 200, [
        ("request.c", "session->core->paused && begins_anew(message->method)) {",
         "session->core->paused && (begins_anew(message->method) || (BUG && message->method == HBK_METHOD_DELIVERY_ACCEPT))) {"),
    ]),
    Bug("revoking_paused", "paused", 200, [
        ("request.c", "(BUG(accepting_paused) && message->method == HBK_METHOD_DELIVERY_ACCEPT))) {",
         "(BUG(accepting_paused) && message->method == HBK_METHOD_DELIVERY_ACCEPT) ||\n"
         "                (BUG && message->method == HBK_METHOD_DELIVERY_REVOKE))) {"),
    ]),
    Bug("closing_paused", "paused|answers are true", 100, [
        ("request.c", "(BUG(revoking_paused) && message->method == HBK_METHOD_DELIVERY_REVOKE))) {",
         "(BUG(revoking_paused) && message->method == HBK_METHOD_DELIVERY_REVOKE) ||\n"
         "                (BUG && message->method == HBK_METHOD_ENDPOINT_CLOSE))) {"),
    ]),
    Bug("never_continued", "paused|assertion", 50, [
        ("core.c", "    core->paused = paused;\n", "    core->paused = paused || BUG;\n"),
    ]),
    Bug("waits_ended_by_the_pause", "answers are true", 100, [
        ("core.c", "    core->paused = paused || BUG(never_continued);\n",
         "    core->paused = paused || BUG(never_continued);\n"
         "    for (struct hbk_link *link = core->sessions.next; BUG && link != &core->sessions; link = link->next) {\n"
         "        hbk_delivery_stop_sends(HBK_CONTAINER(link, struct hbk_session, all_link));\n    }\n"),
    ]),
    Bug("deadlines_paused", "progress|deadlines|answered once", 100, [
        ("core.c", "        hbk_timer_set(&core->timers, timer, HBK_NEVER);\n        if (timer->kind == HBK_TIMER_SESSION) {",
         "        if (BUG && core->paused && timer->kind == HBK_TIMER_DELIVERY) {\n            break;\n        }\n"
         "        hbk_timer_set(&core->timers, timer, HBK_NEVER);\n        if (timer->kind == HBK_TIMER_SESSION) {"),
    ]),
    Bug("paused_for_ever", "progress|paused", 400, [
        ("core.c", "void hbk_core_stop(struct hbk_core *core)\n{\n    if (core->stopping) {",
         "void hbk_core_stop(struct hbk_core *core)\n{\n    if (core->stopping || (BUG && core->paused)) {"),
    ]),
    # ---- metrics ----
    Bug("metrics_for_everybody", "rules", 200, [
        ("operate.c", "    struct hbk_buffer text;\n\n    if (!hbk_operate_may_inspect(session, id)) {",
         "    struct hbk_buffer text;\n\n    if (!BUG && !hbk_operate_may_inspect(session, id)) {"),
    ]),
    Bug("timeouts_not_counted", "metrics", 100, [
        ("ending.c", "    hbk_metrics_failed(core_of(delivery), error->code);\n",
         "    if (!(BUG && error->code == HBK_R_TIMEOUT)) {\n        hbk_metrics_failed(core_of(delivery), error->code);\n    }\n"),
    ]),
    Bug("takes_not_counted", "metrics", 100, [
        ("take.c", "refused:\n    hbk_metrics_failed(session->core, error.code);\n",
         "refused:\n    if (!BUG) {\n        hbk_metrics_failed(session->core, error.code);\n    }\n"),
    ]),
    Bug("refused_sends_not_counted", "metrics", 50, [
        ("send.c", "        hbk_metrics_failed(core, error.code);\n",
         "        if (!BUG) {\n            hbk_metrics_failed(core, error.code);\n        }\n"),
    ]),
    Bug("refused_transfers_not_counted", "metrics", 50, [
        ("transfer.c", "        hbk_metrics_failed(session->core, error.code);\n",
         "        if (!BUG) {\n            hbk_metrics_failed(session->core, error.code);\n        }\n"),
    ]),
    Bug("pause_not_counted", "metrics", 50, [
        ("request.c", "    if (message->method != HBK_METHOD_STORE_PUT) {\n        hbk_metrics_failed(",
         "    if (message->method != HBK_METHOD_STORE_PUT && !BUG) {\n        hbk_metrics_failed("),
    ]),
    Bug("puts_counted", "metrics", 100, [
        ("request.c", "    if (message->method != HBK_METHOD_STORE_PUT && !BUG(pause_not_counted)) {",
         "    if ((message->method != HBK_METHOD_STORE_PUT || BUG) && !BUG(pause_not_counted)) {"),
    ]),
    Bug("failure_counted_twice", "metrics", 100, [
        ("metrics.c", "    core->metrics.failed[place]++;\n    core->failed++;\n",
         "    core->metrics.failed[place] += BUG ? 2 : 1;\n    core->failed += BUG ? 2 : 1;\n"),
    ]),
    Bug("done_counted_twice", "metrics", 50, [
        ("metrics.c", "    metrics->took[bucket]++;\n", "    metrics->took[bucket] += BUG ? 2 : 1;\n    core->delivered += BUG ? 1 : 0;\n"),
    ]),
    Bug("sum_of_times_falls", "metrics", 100, [
        ("metrics.c", "    metrics->took_ms += took;\n", "    metrics->took_ms = took + (BUG ? 0 : metrics->took_ms);\n"),
    ]),
    Bug("bucket_not_of_all_below", "metrics", 50, [
        ("metrics.c", "hbk_text_from(bounds[i]),\n                     count);", "hbk_text_from(bounds[i]),\n                     BUG ? metrics->took[i] : count);"),
    ]),
    Bug("revocable_not_told", "metrics", 100, [
        ("metrics.c", "            \"Deliveries that were told and can be taken back.\", core->given);",
         "            \"Deliveries that were told and can be taken back.\", BUG ? 0 : core->given);"),
    ]),
    Bug("proven_forgotten", "metrics", 50, [
        ("metrics.c", "hbk_text_from(\"proven\"), core->proven);", "hbk_text_from(\"proven\"), BUG ? 0 : core->proven);"),
    ]),
    Bug("closes_never_end", "metrics", 50, [
        ("core.c", "    HBK_ASSERT(core->closes_pending > 0);\n    core->closes_pending--;\n",
         "    HBK_ASSERT(core->closes_pending > 0);\n    core->closes_pending -= !BUG;\n"),
    ]),
    Bug("policies_not_counted", "metrics", 50, [
        ("core.c", "    core->policies_loaded += source != NULL;\n", "    core->policies_loaded += source != NULL && !BUG;\n"),
    ]),
    # ---- handle tables ----
    Bug("tables_for_everybody", "rules|third parties", 200, [
        ("look.c", "    if (!hbk_operate_may_inspect(session, id)) {\n",
         "    if (!BUG && !hbk_operate_may_inspect(session, id)) {\n"),
    ]),
    Bug("look_stays_charged", "counters of users|assertion", 100, [
        ("look.c", "    session->user->looks--;\n", "    session->user->looks -= !BUG;\n"),
    ]),
]
