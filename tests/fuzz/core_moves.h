/* What bytes make clients and the world do to a broker over the fake platform. */
#ifndef CORE_MOVES_H
#define CORE_MOVES_H

#include "core_policy.h"

enum {
    PLAY_CLIENTS_MAX = 5,
    PLAY_CONNECTIONS_MAX = 160,
    PLAY_SENDS_MAX = 512,
    PLAY_OFFERS_MAX = 16,
    PLAY_STORED_MAX = 16,
    PLAY_GIVEN_MAX = 16,
    PLAY_MOVES_MAX = 600,
    PLAY_PIDS = 8, /* few, so that they are used again */
};

/* Each send carries a number in its data, which shows what became of it. */
enum fate { FATE_OPEN, FATE_TOLD, FATE_FAILED, FATE_UNKNOWN };

/* A connection that sends lines which nobody keeps track of: only their number. */
struct raw {
    bool is;
    bool listens; /* until the end, so that each line must have had its answer */
    uint32_t lines, answers;
};

struct play {
    struct rig *rig;
    const uint8_t *at, *end; /* what is left of the input */
    unsigned moves;
    bool stopped, sudden, paused;
    enum fate fates[PLAY_SENDS_MAX];
    uint32_t sends;
    struct {
        uint64_t delivery;
        uint32_t tag;          /* PLAY_SENDS_MAX: of a raw client's send */
    } offers[PLAY_OFFERS_MAX]; /* the latest ones, also those that are over */
    uint32_t offers_count;
    struct {
        uint64_t entry;
        char ticket[HBK_TICKET_BYTES + 1]; /* "": it has a name */
    } stored[PLAY_STORED_MAX];             /* the latest ones, also those that are gone */
    uint32_t stored_count;
    uint64_t given[PLAY_GIVEN_MAX]; /* deliveries that may be revoked, or could not be */
    uint32_t given_count;
    /* by the connection's number, as what it had asked for when the broker was paused last */
    struct raw raws[PLAY_CONNECTIONS_MAX + 1];
    size_t before_pause[PLAY_CONNECTIONS_MAX + 1];
};

/** play_byte() - the next byte of the input, 0 when there is none. */
uint8_t play_byte(struct play *play);

/** play_client_moves() - what @client does; @what: 0..PLAY_CLIENT_MOVES-1. */
void play_client_move(struct play *play, struct client *client, unsigned what);
enum { PLAY_CLIENT_MOVES = 16 };

/** play_name() - of an endpoint or an entry. */
const char *play_name(uint8_t which);
/** play_handle() - mostly one that @client has. */
uint32_t play_handle(struct play *play, struct client *client);
/** play_share() - what @client does with the store, tickets, sockets, transfers and revocations. */
void play_share(struct play *play, struct client *client);
/** play_note_shared() - what such a request was told, for later moves. */
void play_note_shared(struct play *play, enum hbk_method method, const struct hbk_message *message);

/** play_pause() - let the core pause, or go on. */
void play_pause(struct play *play, bool paused);

/** play_connect() - a new client, if there is room and a pid. */
void play_connect(struct play *play);

/** play_line_told() - the rig's hook: what is told must agree with what was told before. */
void play_line_told(struct client *client, const struct hbk_message *message);
/** play_bytes_told() - the fake's hook before the rig's own. */
void play_bytes_told(struct fake_connection *connection, const uint8_t *bytes, size_t size);

#endif
