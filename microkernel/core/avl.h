/* Balanced trees (AVL), embedded in their elements; the caller compares, the tree balances. An optional
 * update function recomputes what a node caches about its subtree. */
#pragma once

#include "core/types.h"

struct avl_node {
    union {
        struct { struct avl_node *left, *right; };
        struct avl_node *side[2];
    };
    struct avl_node *parent;
    int height;
};

struct avl_tree {
    struct avl_node *root;
    void (*update)(struct avl_node *node);
};

#define avl_item(ptr, type, member) container_of(ptr, type, member)

/* Links a new node below `parent` at `*slot` (found by the caller's descent), then rebalances. */
void avl_insert(struct avl_tree *tree, struct avl_node *node, struct avl_node *parent, struct avl_node **slot);
void avl_remove(struct avl_tree *tree, struct avl_node *node);
/* Recomputes the cached values from this node to the root. */
void avl_updated(struct avl_tree *tree, struct avl_node *node);
struct avl_node *avl_next(const struct avl_node *node);
struct avl_node *avl_prev(const struct avl_node *node);
