/* The exchanges of proto/PROTOCOL.md, played: what is asked there is asked of a broker over the fake platform, and what the page
 * shows as told must be told, to whom it is told and in that order, and nothing else. Keys, constants and details are compared to
 * the byte; a value that nobody can know before (a handle, the number of a session) stands for one and the same value throughout
 * an exchange. What must be there before, page_scenes.c makes. */
#include "codec_support.h"
#include "core_client.h"
#include "page_scenes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct play *playing;

/* ---- who hears what ---- */

static enum role role_of(const struct client *client)
{
    for (int role = 0; role < ROLE_COUNT; ++role)
        if (playing->who[role] == client)
            return (enum role)role;
    return NEWCOMER; /* which is just being connected */
}

/* The broker writes whole lines, some of them at once. */
static void hear(struct fake_connection *connection, const uint8_t *bytes, size_t size)
{
    enum role role = role_of(connection->owner);
    const uint8_t *at = bytes, *end = bytes + size;
    while (at < end) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(stop);
        assert_true(playing->heard[role].count < PLAY_LINES_MAX);
        char *line = calloc(1, (size_t)(stop - at) + 1);
        assert_non_null(line);
        memcpy(line, at, (size_t)(stop - at));
        playing->heard[role].lines[playing->heard[role].count++] = line;
        at = stop + 1;
    }
    client_told(connection, bytes, size);
}

void play_forget(struct play *play)
{
    for (int role = 0; role < ROLE_COUNT; ++role) {
        for (size_t i = 0; i < play->heard[role].count; ++i)
            free(play->heard[role].lines[i]);
        play->heard[role].count = play->heard[role].next = 0;
    }
}

struct client *play_join(struct play *play, enum role role, uint32_t pid)
{
    play->who[role] = client_new(play->rig, pid, 1);
    play_forget(play);
    return play->who[role];
}

/* ---- values that stand for others ---- */

/* Those that stand for one value throughout an exchange; "" is their end. */
static const char *const names[] = {"id",    "session", "pid",    "handle",  "proof",
                                    "entry", "next",    "ticket", "delivery"};
/* Those that are not compared: who runs the broker, and when. */
static const char *const unknown[] = {"user",     "logon_session", "integrity",
                                      "since_ms", "uptime_ms",     "time_ms",
                                      "serial",   "correlation",   "protocol_info"};
static const char *const figures[] = {"sessions",     "sessions_proven",
                                      "endpoints",    "deliveries_pending",
                                      "pins",         "stored",
                                      "delivered",    "failed",
                                      "policy",       "used",
                                      "yours",        "your_limit",
                                      "queued_bytes", "terminal_session",
                                      "sent",         "received",
                                      "requests",     "taken",
                                      "ttl_ms"};

#define IS_ONE_OF(list, text) is_one_of(list, sizeof(list) / sizeof(list)[0], text)

static bool is_one_of(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; ++i)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

/* What is told as `next` is asked with as `cursor`. */
static const char *kind_of(const char *key)
{
    return strcmp(key, "cursor") == 0 ? "next" : key;
}

/* What @page of that kind stands for; NULL: nothing yet. */
static const char *find_bound(const struct play *play, const char *key, const char *page)
{
    for (size_t i = 0; i < play->bound_count; ++i)
        if (strcmp(play->bound[i].key, kind_of(key)) == 0 && strcmp(play->bound[i].page, page) == 0)
            return play->bound[i].here;
    return NULL;
}

static void bind(struct play *play, const char *key, const char *page, const char *here)
{
    assert_true(play->bound_count < PLAY_BOUND_MAX);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
        if (strcmp(names[i], kind_of(key)) == 0)
            play->bound[play->bound_count].key = names[i];
    assert_non_null(play->bound[play->bound_count].key);
    snprintf(play->bound[play->bound_count].page, PLAY_VALUE_MAX, "%s", page);
    snprintf(play->bound[play->bound_count].here, PLAY_VALUE_MAX, "%s", here);
    ++play->bound_count;
}

void play_bind(struct play *play, const char *key, const char *page, uint64_t number)
{
    char here[24];
    snprintf(here, sizeof here, "%llu", (unsigned long long)number);
    bind(play, key, page, here);
}

/* ---- JSON, as the encoder writes it ---- */

/* A value without its quotes goes to @ret; @at must be at a string or a number. Return: behind it. */
static const char *take_value(const char *at, char *ret, size_t room)
{
    bool text = *at == '"';
    size_t size = 0;
    at += text;
    while (text ? *at != '"' : *at == '-' || isdigit((unsigned char)*at)) {
        assert_true(*at != 0);
        size_t step = text && *at == '\\' ? 2 : 1;
        for (size_t i = 0; i < step; ++i)
            if (size + 1 < room)
                ret[size++] = at[i];
        at += step;
    }
    ret[size] = 0;
    return at + text;
}

enum { KEY_MAX = 40 };

static void keep_key(char key[KEY_MAX], const char *text)
{
    size_t size = strlen(text);
    assert_true(size < KEY_MAX);
    memcpy(key, text, size + 1);
}

static bool is_value(char byte)
{
    return byte == '"' || byte == '-' || isdigit((unsigned char)byte);
}

void play_bind_heard(struct play *play, enum role role, const char *key, const char *page)
{
    char mark[48], here[PLAY_VALUE_MAX];
    snprintf(mark, sizeof mark, "\"%s\":", key);
    assert_true(play->heard[role].count > 0);
    const char *at = strstr(play->heard[role].lines[play->heard[role].count - 1], mark);
    assert_non_null(at);
    take_value(at + strlen(mark), here, sizeof here);
    bind(play, key, page, here);
}

/* Every line of the page's text is one of the broker's, whatever the figures; both as JSON spells them. */
static bool text_is_part(const char *page, const char *here)
{
    char line[512];
    while (*page != 0) {
        const char *end = strstr(page, "\\n");
        size_t size = end ? (size_t)(end - page) : strlen(page);
        while (size > 0 && isdigit((unsigned char)page[size - 1]))
            --size;
        assert_true(size < sizeof line);
        memcpy(line, page, size);
        line[size] = 0;
        if (strstr(here, line) == NULL)
            return false;
        page = end ? end + 2 : page + strlen(page);
    }
    return true;
}

/* But for figures: a detail names those of the moment. */
static bool same_detail(const char *page, const char *here)
{
    while (*page != 0 && *here != 0) {
        if (isdigit((unsigned char)*page) && isdigit((unsigned char)*here)) {
            page += strspn(page, "0123456789");
            here += strspn(here, "0123456789");
        } else if (*page++ != *here++) {
            return false;
        }
    }
    return *page == *here;
}

/* One value has one name; but for the sender's own handles, which others may have the values of too. */
static bool is_named_otherwise(const struct play *play, const char *key, const char *here)
{
    for (size_t i = 0; i < play->bound_count; ++i)
        if (strcmp(play->bound[i].key, kind_of(key)) == 0 &&
            strcmp(play->bound[i].here, here) == 0 &&
            (play->bound[i].heard || strcmp(key, "handle") != 0))
            return true;
    return false;
}

static bool same_value(struct play *play, const struct scene *scene, const char *key,
                       const char *page, const char *here)
{
    if (IS_ONE_OF(unknown, key) || (scene->figures && IS_ONE_OF(figures, key)))
        return (*page != 0) == (*here != 0);
    if (strcmp(key, "text") == 0)
        return text_is_part(page, here);
    if (strcmp(key, "detail") == 0)
        return same_detail(page, here);
    if (!IS_ONE_OF(names, key))
        return strcmp(page, here) == 0;
    const char *bound = find_bound(play, key, page);
    if (bound != NULL)
        return strcmp(bound, here) == 0;
    if (is_named_otherwise(play, key, here))
        return false;
    bind(play, key, page, here);
    play->bound[play->bound_count - 1].heard = true;
    return true;
}

/* Return: where in @page it is otherwise; NULL: nowhere. */
static const char *difference(struct play *play, const struct scene *scene, const char *page,
                              const char *here)
{
    static char ours[HBK_LINE_BYTES_MAX], theirs[HBK_LINE_BYTES_MAX];
    char key[KEY_MAX] = "";
    while (*page != 0) {
        const char *start = page;
        if (!is_value(*page) || !is_value(*here)) {
            if (*page++ != *here++)
                return start;
            continue;
        }
        if ((*page == '"') != (*here == '"'))
            return start;
        page = take_value(page, ours, sizeof ours);
        here = take_value(here, theirs, sizeof theirs);
        if (*page == ':') {
            keep_key(key, ours);
            if (strcmp(ours, theirs) != 0)
                return start;
        } else if (!same_value(play, scene, key, ours, theirs)) {
            return start;
        }
    }
    return *here == 0 ? NULL : page;
}

/* ---- a line of the page ---- */

struct exchange {
    const struct scene *scene;
    enum role speaker; /* of the last line to the service */
    bool spoke[ROLE_COUNT];
    struct {
        unsigned id;
        enum role role;
    } asked[16];
    size_t asked_count;
};

static unsigned id_of(const char *line)
{
    const char *at = strstr(line, "\"id\":");
    return at ? (unsigned)strtoul(at + 5, NULL, 10) : 0;
}

static enum hbk_method method_of(const char *line)
{
    char name[40];
    const char *at = strstr(line, "\"method\":\"");
    assert_non_null(at);
    take_value(at + 9, name, sizeof name);
    for (int i = HBK_METHOD_NONE + 1; i < HBK_METHOD_COUNT; ++i)
        if (strcmp(hbk_method_name((enum hbk_method)i), name) == 0)
            return (enum hbk_method)i;
    fail_msg("no method %s", name);
    return HBK_METHOD_NONE;
}

static void is_asked(struct exchange *exchange, unsigned id, enum role role)
{
    assert_true(exchange->asked_count < sizeof exchange->asked / sizeof exchange->asked[0]);
    exchange->asked[exchange->asked_count].id = id;
    exchange->asked[exchange->asked_count++].role = role;
    exchange->speaker = role;
    exchange->spoke[role] = true;
}

/* The params of @line with the broker's values, as the rig wants them: ' stands for ". On the heap; NULL: none. */
static char *params_of(const struct play *play, const char *line)
{
    char key[KEY_MAX] = "", value[4096];
    const char *at = strstr(line, ",\"params\":");
    if (at == NULL)
        return NULL;
    at += strlen(",\"params\":");
    size_t room = strlen(at) * 4 + 256, size = 0;
    char *params = malloc(room);
    assert_non_null(params);
    while (at[1] != 0) { /* the last one closes the line */
        if (!is_value(*at)) {
            params[size++] = *at++;
            continue;
        }
        const char *quote = *at == '"' ? "'" : "";
        at = take_value(at, value, sizeof value);
        const char *bound = *at == ':' ? NULL : find_bound(play, key, value);
        size += (size_t)snprintf(params + size, room - size, "%s%s%s", quote, bound ? bound : value,
                                 quote);
        assert_true(size + 2 < room);
        if (*at == ':')
            keep_key(key, value);
    }
    params[size] = 0;
    return params;
}

static void play_request(struct play *play, struct exchange *exchange, const char *line)
{
    unsigned id = id_of(line);
    char page_id[16];
    enum hbk_method method = method_of(line);
    enum role role = page_speaker(method, id);
    if (exchange->scene->before)
        exchange->scene->before(play, id);
    is_asked(exchange, id, role);
    assert_non_null(play->who[role]);
    char *params = params_of(play, line);
    snprintf(page_id, sizeof page_id, "%u", id);
    play_bind(play, "id", page_id, client_request_text(play->who[role], method, params));
    free(params);
    rig_run(play->rig);
    rig_sockets_all_end(play->rig);
    rig_looks_end(play->rig);
    if (exchange->scene->after)
        exchange->scene->after(play);
}

static void play_refused(struct play *play, struct exchange *exchange, const char *line)
{
    unsigned id = id_of(line);
    is_asked(exchange, id, SENDER);
    client_line(play->who[SENDER], line);
}

static enum role hearer(const struct exchange *exchange, const char *line)
{
    if (strstr(line, "\"id\":") == NULL)
        return strstr(line, "\"broker.event\"") ? OPERATOR : TARGET;
    for (size_t i = 0; i < exchange->asked_count; ++i)
        if (exchange->asked[i].id == id_of(line))
            return exchange->asked[i].role;
    return exchange->speaker;
}

/* A notification of another kind, among which the page's is. */
static bool is_another(const struct scene *scene, const char *page, const char *here)
{
    char ours[40], theirs[40];
    const char *at = strstr(page, "\"event\":"), *other = strstr(here, "\"event\":");
    if (!scene->among || at == NULL || other == NULL)
        return false;
    take_value(at + 8, ours, sizeof ours);
    take_value(other + 8, theirs, sizeof theirs);
    return strcmp(ours, theirs) != 0;
}

static void play_told(struct play *play, const struct exchange *exchange, const char *line)
{
    enum role role = hearer(exchange, line);
    if (play->heard[role].next == play->heard[role].count)
        rig_advance(play->rig, HBK_WAIT_MS_MAX);
    for (;;) {
        if (play->heard[role].next == play->heard[role].count)
            fail_msg("the page shows what nobody is told:\n%s", line);
        const char *here = play->heard[role].lines[play->heard[role].next++];
        if (is_another(exchange->scene, line, here))
            continue;
        const char *where = difference(play, exchange->scene, line, here);
        if (where)
            fail_msg("the page shows\n%s\nbut what is told is\n%s\nsee: %.60s", line, here, where);
        return;
    }
}

/* ---- an exchange ---- */

static const struct scene *find_scene(const char *line)
{
    for (size_t i = 0; i < page_scenes_count; ++i)
        if (strstr(line, page_scenes[i].mark))
            return &page_scenes[i];
    fail_msg("page_scenes.c has no scene for the exchange that begins with\n%s", line);
    return NULL;
}

static const char *after(const char *line, const char *mark)
{
    size_t size = strlen(mark);
    return strncmp(line, mark, size) == 0 && line[size] == ' ' ? line + size + 1 : NULL;
}

static void play_exchange(const struct scene *scene, char *const *lines, size_t count)
{
    /* Still reachable where a failed test ends, so that the leak checker's report is not in the way. */
    static struct play play;
    play = (struct play){.rig = rig_new(NULL, 1)};
    struct exchange exchange = {.scene = scene, .speaker = NEWCOMER};
    playing = &play;
    play.rig->kernel->told = hear;
    scene->begin(&play);
    for (size_t i = 0; i < count; ++i) {
        const char *text;
        if ((text = after(lines[i], "\xE2\x86\x92")) != NULL)
            play_request(&play, &exchange, text);
        else if ((text = after(lines[i], "\xE2\x9C\x97")) != NULL)
            play_refused(&play, &exchange, text);
        else if ((text = after(lines[i], "\xE2\x86\x90")) != NULL)
            play_told(&play, &exchange, text);
        else
            fail_msg("a line of an exchange that nobody says: %s", lines[i]);
    }
    for (int role = 0; role < ROLE_COUNT; ++role)
        if ((exchange.spoke[role] || role == TARGET) && !scene->among &&
            play.heard[role].next < play.heard[role].count)
            fail_msg("told, and not in the page:\n%s",
                     play.heard[role].lines[play.heard[role].next]);
    rig_end(play.rig);
    play_forget(&play);
    playing = NULL;
}

/* Plays every exchange of @page; the lines of @page are cut. Return: how many there were. */
static size_t play_page(char *page, bool *ret_played)
{
    char *lines[64];
    size_t count = 0, exchanges = 0;
    bool inside = false;
    for (char *line = page, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        if (strncmp(line, "```", 3) != 0) {
            if (inside) {
                assert_true(count < sizeof lines / sizeof lines[0]);
                lines[count++] = line;
            }
            continue;
        }
        inside = !inside;
        if (!inside && count > 0 && lines[0][0] == '\xE2') {
            const struct scene *scene = find_scene(lines[0]);
            ret_played[scene - page_scenes] = true;
            play_exchange(scene, lines, count);
            ++exchanges;
        }
        count = 0;
    }
    return exchanges;
}

static void each_exchange_comes_about(void **state)
{
    (void)state;
    struct hbk_buffer page = read_test_file("proto/PROTOCOL.md");
    bool *played = calloc(page_scenes_count, sizeof *played);
    assert_non_null(played);
    hbk_buffer_append(&page, "", 1);
    assert_false(page.failed);
    assert_int_equal(play_page((char *)page.data, played), page_scenes_count);
    for (size_t i = 0; i < page_scenes_count; ++i)
        assert_true(played[i]);
    free(played);
    hbk_buffer_deinit(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_exchange_comes_about),
    };
    return cmocka_run_group_tests_name("core_page", tests, NULL, NULL);
}
