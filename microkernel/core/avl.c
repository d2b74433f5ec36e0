#include "core/avl.h"

static int height(const struct avl_node *n) { return n ? n->height : 0; }

static void refresh(struct avl_tree *tree, struct avl_node *n) {
    int l = height(n->left), r = height(n->right);
    n->height = (l > r ? l : r) + 1;
    if (tree->update)
        tree->update(n);
}

static void replace(struct avl_tree *tree, struct avl_node *old, struct avl_node *new, struct avl_node *parent) {
    if (parent)
        parent->side[parent->right == old] = new;
    else
        tree->root = new;
    if (new)
        new->parent = parent;
}

/* Turns a node down to the side `way`; what was on its other side takes its place. */
static struct avl_node *rotate(struct avl_tree *tree, struct avl_node *n, bool way) {
    struct avl_node *up = n->side[!way], *middle = up->side[way];
    replace(tree, n, up, n->parent);
    up->side[way] = n;
    n->side[!way] = middle;
    n->parent = up;
    if (middle)
        middle->parent = n;
    refresh(tree, n);
    refresh(tree, up);
    return up;
}

static void rebalance(struct avl_tree *tree, struct avl_node *n) {
    for (; n; n = n->parent) {
        int balance = height(n->right) - height(n->left);
        if (balance >= -1 && balance <= 1) {
            refresh(tree, n);
            continue;
        }
        bool heavy = balance > 0;
        struct avl_node *child = n->side[heavy];
        if (height(child->side[heavy]) < height(child->side[!heavy]))
            rotate(tree, child, heavy);
        n = rotate(tree, n, !heavy);
    }
}

void avl_insert(struct avl_tree *tree, struct avl_node *node, struct avl_node *parent, struct avl_node **slot) {
    *node = (struct avl_node){.parent = parent, .height = 1};
    *slot = node;
    rebalance(tree, node);
}

void avl_remove(struct avl_tree *tree, struct avl_node *node) {
    struct avl_node *from;
    if (node->left && node->right) {
        struct avl_node *heir = node->right;
        while (heir->left)
            heir = heir->left;
        from = heir->parent == node ? heir : heir->parent;
        if (heir->parent != node) {
            replace(tree, heir, heir->right, heir->parent);
            heir->right = node->right;
            heir->right->parent = heir;
        }
        replace(tree, node, heir, node->parent);
        heir->left = node->left;
        heir->left->parent = heir;
    } else {
        from = node->parent;
        replace(tree, node, node->left ? node->left : node->right, node->parent);
    }
    rebalance(tree, from);
}

void avl_updated(struct avl_tree *tree, struct avl_node *node) {
    for (; node; node = node->parent)
        tree->update(node);
}

static struct avl_node *neighbour(struct avl_node *n, bool way) {
    if (!n->side[way]) {
        while (n->parent && n->parent->side[way] == n)
            n = n->parent;
        return n->parent;
    }
    n = n->side[way];
    while (n->side[!way])
        n = n->side[!way];
    return n;
}

struct avl_node *avl_next(const struct avl_node *n) { return neighbour((struct avl_node *)(uintptr_t)n, true); }
struct avl_node *avl_prev(const struct avl_node *n) { return neighbour((struct avl_node *)(uintptr_t)n, false); }
