#include "core/avl.h"

static int height(const struct avl_node *n) { return n ? n->height : 0; }

static void refresh(struct avl_tree *tree, struct avl_node *n) {
    int l = height(n->left), r = height(n->right);
    n->height = (l > r ? l : r) + 1;
    if (tree->update)
        tree->update(n);
}

static void replace(struct avl_tree *tree, struct avl_node *old, struct avl_node *new, struct avl_node *parent) {
    if (!parent)
        tree->root = new;
    else if (parent->left == old)
        parent->left = new;
    else
        parent->right = new;
    if (new)
        new->parent = parent;
}

static struct avl_node *rotate(struct avl_tree *tree, struct avl_node *n, bool to_left) {
    struct avl_node *up = to_left ? n->right : n->left, *middle = to_left ? up->left : up->right;
    replace(tree, n, up, n->parent);
    if (to_left)
        up->left = n, n->right = middle;
    else
        up->right = n, n->left = middle;
    n->parent = up;
    if (middle)
        middle->parent = n;
    refresh(tree, n);
    refresh(tree, up);
    return up;
}

static void rebalance(struct avl_tree *tree, struct avl_node *n) {
    for (; n; n = n->parent) {
        int balance = height(n->left) - height(n->right);
        if (balance > 1) {
            if (height(n->left->left) < height(n->left->right))
                rotate(tree, n->left, true);
            n = rotate(tree, n, false);
        } else if (balance < -1) {
            if (height(n->right->right) < height(n->right->left))
                rotate(tree, n->right, false);
            n = rotate(tree, n, true);
        } else {
            refresh(tree, n);
        }
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

struct avl_node *avl_first(const struct avl_tree *tree) {
    struct avl_node *n = tree->root;
    while (n && n->left)
        n = n->left;
    return n;
}

struct avl_node *avl_next(const struct avl_node *n) {
    if (n->right) {
        n = n->right;
        while (n->left)
            n = n->left;
        return (struct avl_node *)(uintptr_t)n;
    }
    while (n->parent && n->parent->right == n)
        n = n->parent;
    return n->parent;
}

struct avl_node *avl_prev(const struct avl_node *n) {
    if (n->left) {
        n = n->left;
        while (n->right)
            n = n->right;
        return (struct avl_node *)(uintptr_t)n;
    }
    while (n->parent && n->parent->left == n)
        n = n->parent;
    return n->parent;
}
