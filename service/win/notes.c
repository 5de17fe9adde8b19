#include "parts.h"

void hbk_notes_add(struct hbk_notes *notes, enum hbk_win_note_kind kind, uint32_t pid,
                   uint32_t win32, const char *why)
{
    HBK_ASSERT(kind < HBK_WIN_NOTE_COUNT && why != NULL);
    AcquireSRWLockExclusive(&notes->lock);
    struct hbk_win_note *note = &notes->note[kind];
    bool first = note->count == 0;
    if (note->count < UINT32_MAX) {
        note->count++;
    }
    note->pid = pid;
    note->win32 = win32;
    note->why = why;
    ReleaseSRWLockExclusive(&notes->lock);
    if (first) {
        notes->noted(notes->context);
    }
}

bool hbk_notes_take(struct hbk_notes *notes, enum hbk_win_note_kind kind,
                    struct hbk_win_note *ret_note)
{
    HBK_ASSERT(kind < HBK_WIN_NOTE_COUNT);
    AcquireSRWLockExclusive(&notes->lock);
    struct hbk_win_note note = notes->note[kind];
    notes->note[kind].count = 0;
    ReleaseSRWLockExclusive(&notes->lock);
    if (note.count == 0) {
        return false;
    }
    *ret_note = note;
    return true;
}
