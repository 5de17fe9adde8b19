/* hbctl explain. */
#include "hbctl.h"

struct question {
    const char *verb, *name;
    uint32_t pid;
    uint64_t session;
};

static void print_explanation(const struct question *question, const hbk_explanation *explanation)
{
    printf("%s%s%s", question->verb, question->name != NULL ? " " : "",
           question->name != NULL ? question->name : "");
    if (question->pid != 0)
        printf(" of process %lu", (unsigned long)question->pid);
    if (question->session != 0)
        printf(" by session %llu", (unsigned long long)question->session);
    fputs(": ", stdout);
    style_on(stdout, explanation->allowed ? STYLE_GOOD : STYLE_BAD);
    fputs(explanation->allowed ? "allowed" : "refused", stdout);
    style_off(stdout);
    printf("\ndecided by  ");
    print_text(stdout, explanation->rule);
    printf("\nwhy         ");
    print_text(stdout, explanation->detail);
    if (explanation->types_known) {
        printf("\ntypes       ");
        print_text(stdout, explanation->types[0] != '\0' ? explanation->types : "none may pass");
    }
    fputc('\n', stdout);
}

static void json_explanation(const struct question *question, const hbk_explanation *explanation)
{
    struct json json;

    json_begin(&json, stdout);
    json_text(&json, "verb", question->verb);
    if (question->name != NULL)
        json_text(&json, "name", question->name);
    if (question->pid != 0)
        json_number(&json, "pid", question->pid);
    if (question->session != 0)
        json_number(&json, "session", question->session);
    json_bool(&json, "allowed", explanation->allowed != 0);
    json_text(&json, "rule", explanation->rule);
    json_text(&json, "detail", explanation->detail);
    if (explanation->types_known)
        json_text(&json, "types", explanation->types);
    json_end(&json);
}

/* What to try next, by what went wrong. */
static const char *advice(hbk_result result)
{
    if (result == HBK_NOT_FOUND)
        return "See which sessions there are: hbctl sessions";
    return inspect_advice(result);
}

enum exit_code run_explain(struct arguments *arguments)
{
    struct question question = {0};
    const struct option options[] = {
        {"--pid", OPTION_NUMBER, UINT32_MAX, &question.pid, NULL},
        {"--session", OPTION_SERIAL, 0, &question.session, NULL},
    };
    const struct operand operands[] = {
        {&question.verb,
         "what is to be explained? open, send, put, get, transfer, inspect or revoke"},
        {&question.name, NULL},
    };
    hbk_explain_options asked = {.size = sizeof asked};
    hbk_explanation explanation;
    enum exit_code code = EXIT_USAGE;
    struct talk talk;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], operands,
                      sizeof operands / sizeof operands[0], &code))
        return code;
    asked.verb = question.verb;
    asked.name = question.name;
    asked.pid = question.pid;
    asked.session = question.session;
    if (talk_begin(&talk, arguments) &&
        talk_good(&talk, hbk_explain(talk.client, &asked, &explanation, &talk.error), advice)) {
        if (arguments->globals.json)
            json_explanation(&question, &explanation);
        else
            print_explanation(&question, &explanation);
        talk.code = explanation.allowed ? EXIT_DONE : EXIT_REFUSED;
    }
    return talk_end(&talk);
}
