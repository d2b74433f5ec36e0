#include "core/timer.h"

#include "core/clock.h"

static struct avl_tree timers;
static struct timer *earliest;

void timer_arm(struct timer *t, u64 deadline) {
    timer_cancel(t);
    struct avl_node **slot = &timers.root, *parent = NULL;
    bool first = true;
    while (*slot) {
        parent = *slot;
        if (deadline < avl_item(parent, struct timer, node)->deadline) {
            slot = &parent->left;
        } else {
            slot = &parent->right;
            first = false;
        }
    }
    t->deadline = deadline;
    t->armed = true;
    avl_insert(&timers, &t->node, parent, slot);
    if (first) {
        earliest = t;
        clock_program(deadline);
    }
}

void timer_cancel(struct timer *t) {
    if (!t->armed)
        return;
    if (earliest == t) {
        struct avl_node *next = avl_next(&t->node);
        earliest = next ? avl_item(next, struct timer, node) : NULL;
    }
    avl_remove(&timers, &t->node);
    t->armed = false;
}

void timer_run(u64 now) {
    while (earliest && earliest->deadline <= now) {
        struct timer *t = earliest;
        timer_cancel(t);
        t->fire(t);
    }
}

u64 timer_next_deadline(void) { return earliest ? earliest->deadline : FOREVER; }
