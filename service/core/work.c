/* What there is to do, in the order in which it is done. Whose turn it is says turn.h; within one process, phases of
 * its requests come first, as many as lines may gather for, while it is alone; then the writes, as somebody waits for
 * them; then the rest. Each piece is small, a few calls into the system at most, and after each there is a look at
 * the pipes: so who comes with a single request waits for one piece of another's work, however much of it there is. */
#include "internal.h"

static struct hbk_link *list_of(struct hbk_process *process, enum hbk_work work)
{
    return work == HBK_WORK_PHASE   ? &process->phases
           : work == HBK_WORK_WRITE ? &process->writes
                                    : &process->others;
}

void hbk_work_init(struct hbk_session *session)
{
    for (int i = 0; i < HBK_WORK_KINDS; i++) {
        struct hbk_task *task = &session->tasks[i];

        hbk_list_init(&task->link);
        task->session = session;
        task->work = (enum hbk_work)i;
    }
}

static void take_out(struct hbk_task *task)
{
    hbk_list_remove(&task->link);
    hbk_turn_take(&task->process->turn);
}

void hbk_work_add(struct hbk_session *session, enum hbk_work work)
{
    struct hbk_task *task = &session->tasks[work];
    struct hbk_process *at_work = session->core->at_work;

    if (!hbk_list_empty(&task->link)) {
        if (work != HBK_WORK_WRITE || at_work != session->process || task->process == at_work) {
            return;
        }
        /* Its own answer does not wait for the turn of who has caused a line to it before. */
        take_out(task);
        hbk_core_process_release(session->core, task->process);
    }
    /* A line goes out at the cost of who has caused it, and so without waiting for a turn of who reads it. */
    task->process = work == HBK_WORK_WRITE && at_work != NULL ? at_work : session->process;
    hbk_list_append(list_of(task->process, work), &task->link);
    hbk_turn_add(&task->process->turn);
}

void hbk_work_drop(struct hbk_session *session)
{
    for (size_t i = 0; i < HBK_WORK_KINDS; i++) {
        struct hbk_task *task = &session->tasks[i];

        if (!hbk_list_empty(&task->link)) {
            take_out(task);
            hbk_core_process_release(session->core, task->process);
        }
    }
}

/* Lines gather for one write only while nobody else has anything to do. */
static struct hbk_task *next_of(const struct hbk_core *core, struct hbk_process *process)
{
    bool alone = core->turn.ready == process->turn.ready;
    bool write_first =
        !alone || hbk_list_empty(&process->phases) || process->unwritten >= HBK_WORK_PER_WRITE;
    struct hbk_link *list = &process->phases;

    if (write_first && !hbk_list_empty(&process->writes)) {
        list = &process->writes;
    } else if (hbk_list_empty(list)) {
        list = &process->others;
    }
    HBK_ASSERT(!hbk_list_empty(list));
    return HBK_CONTAINER(list->next, struct hbk_task, link);
}

static void (*const functions[HBK_WORK_KINDS])(struct hbk_session *) = {
    [HBK_WORK_PHASE] = hbk_session_phase,      [HBK_WORK_WRITE] = hbk_output_flush,
    [HBK_WORK_CLOSE] = hbk_session_close_some, [HBK_WORK_READ] = hbk_session_read_on,
    [HBK_WORK_END] = hbk_session_settle,
};

bool hbk_core_run(struct hbk_core *core)
{
    struct hbk_turn *turn = hbk_turn_first(&core->turn);
    struct hbk_process *process;
    struct hbk_task *task;
    enum hbk_work work;
    uint64_t cost;

    if (turn == NULL) {
        return false;
    }
    process = HBK_CONTAINER(turn, struct hbk_process, turn);
    task = next_of(core, process);
    work = task->work;
    take_out(task);
    core->at_work = process;
    cost = core->spent;
    functions[work](task->session);
    // cppcheck-suppress redundantAssignment ; what the task does reads it
    core->at_work = NULL;
    HBK_ASSERT(core->spent >= cost);
    cost = core->spent - cost;
    /* Nothing is for nothing, or one who is never done might go first for ever. */
    hbk_turn_charge(&process->turn, cost > 0 ? cost : 1);
    if (work == HBK_WORK_PHASE) {
        process->unwritten += cost;
    }
    if (hbk_list_empty(&process->writes)) {
        process->unwritten = 0;
    }
    hbk_core_process_release(core, process);
    return !hbk_turn_idle(&core->turn);
}
