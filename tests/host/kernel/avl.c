/* core/avl.c: order, balance and the cached values, against a plain set of numbers. */
#include "core/avl.h"

#include <string.h>

#include "check.h"

#define KEYS 300

struct item {
    struct avl_node node;
    unsigned key;
    unsigned weight;
    unsigned total;                             /* weights in the subtree: kept by the hook */
    bool present;
};
static struct item items[KEYS];
static unsigned present_count;

#define ITEM(n) avl_item(n, struct item, node)

static void update(struct avl_node *n) {
    ITEM(n)->total = ITEM(n)->weight + (n->left ? ITEM(n->left)->total : 0) + (n->right ? ITEM(n->right)->total : 0);
}

static struct avl_tree tree = {NULL, update};

static void insert(unsigned key) {
    struct avl_node **slot = &tree.root, *parent = NULL;
    while (*slot) {
        parent = *slot;
        slot = key < ITEM(parent)->key ? &parent->left : &parent->right;
    }
    items[key].key = key;
    items[key].weight = key % 7 + 1;
    /* What a node held before must not matter. */
    memset(&items[key].node, 0xa5, sizeof items[key].node);
    avl_insert(&tree, &items[key].node, parent, slot);
    items[key].present = true;
    present_count++;
}

static void remove_key(unsigned key) {
    avl_remove(&tree, &items[key].node);
    memset(&items[key].node, 0xa5, sizeof items[key].node);
    items[key].present = false;
    present_count--;
}

/* Height of a subtree whose keys lie in [low, high), all invariants checked on the way. */
static int checked_height(const struct avl_node *n, const struct avl_node *parent, unsigned low, unsigned high, unsigned *count) {
    if (!n)
        return 0;
    unsigned key = ITEM(n)->key;
    CHECK_IN(n->parent == parent, "key %u", key);
    CHECK_IN(key >= low && key < high, "key %u between %u and %u", key, low, high);
    int left = checked_height(n->left, n, low, key, count), right = checked_height(n->right, n, key + 1, high, count);
    CHECK_IN(left - right <= 1 && right - left <= 1, "key %u: %d and %d", key, left, right);
    CHECK_IN(n->height == (left > right ? left : right) + 1, "key %u: %d over %d and %d", key, n->height, left, right);
    unsigned total = ITEM(n)->weight + (n->left ? ITEM(n->left)->total : 0) + (n->right ? ITEM(n->right)->total : 0);
    CHECK_IN(!tree.update || ITEM(n)->total == total, "key %u: %u, not %u", key, ITEM(n)->total, total);
    ++*count;
    return n->height;
}

static void check_tree(void) {
    unsigned count = 0;
    checked_height(tree.root, NULL, 0, KEYS, &count);
    CHECK_EQUAL(count, present_count);
}

static void check_walks(void) {
    struct avl_node *n = tree.root, *last = NULL;
    while (n && n->left)
        n = n->left;
    for (unsigned key = 0; key < KEYS; key++) {
        if (!items[key].present)
            continue;
        CHECK_IN(n == &items[key].node, "going up, at %u", key);
        CHECK_IN(avl_prev(n) == last, "going down from %u", key);
        last = n;
        n = avl_next(n);
    }
    CHECK(!n);
}

TEST(numbers_in_rising_order_make_a_balanced_tree) {
    for (unsigned key = 0; key < KEYS; key++) {
        insert(key);
        check_tree();
    }
    check_walks();
    CHECK(tree.root->height <= 9);              /* 300 nodes fill more than eight levels */
}

TEST(numbers_in_falling_order_make_a_balanced_tree) {
    for (unsigned key = KEYS; key--;) {
        insert(key);
        check_tree();
    }
    check_walks();
    CHECK(tree.root->height <= 9);
}

TEST(random_insertions_and_removals_agree_with_a_plain_set) {
    for (int round = 0; round < 5000; round++) {
        unsigned key = (unsigned)random_below(KEYS);
        if (items[key].present)
            remove_key(key);
        else
            insert(key);
        check_tree();
        if (round % 16 == 0)
            check_walks();
    }
}

TEST(a_tree_that_fills_and_empties_in_any_order_stays_sound) {
    for (int round = 0; round < 6; round++) {
        while (present_count < KEYS) {
            unsigned key = (unsigned)random_below(KEYS);
            if (!items[key].present)
                insert(key);
        }
        check_walks();
        while (present_count) {
            unsigned key = (unsigned)random_below(KEYS);
            if (items[key].present) {
                remove_key(key);
                check_tree();
            }
        }
        CHECK(!tree.root);
    }
}

TEST(the_root_can_be_removed_until_nothing_is_left) {
    for (unsigned key = 0; key < KEYS; key++)
        insert(key);
    while (tree.root) {
        remove_key(ITEM(tree.root)->key);
        check_tree();
    }
    CHECK_EQUAL(present_count, 0);
}

TEST(a_changed_value_reaches_the_root) {
    for (unsigned key = 0; key < KEYS; key++)
        insert(key);
    for (int round = 0; round < 200; round++) {
        struct item *item = &items[random_below(KEYS)];
        item->weight = (unsigned)random_below(1000);
        avl_updated(&tree, &item->node);
        check_tree();
    }
}

TEST(a_tree_without_a_hook_caches_nothing) {
    tree.update = NULL;
    for (unsigned key = 0; key < KEYS; key++)
        insert(key);
    for (unsigned key = 0; key < KEYS; key += 2)
        remove_key(key);
    check_tree();
    check_walks();
}
