/* Work for a processor, in the manner of CoreMark: lists, matrices, a state machine, a checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES = 256, SIZE = 24, TEXT = 512 };

struct node {
    struct node *next;
    int16_t value;
};

static uint16_t crc(uint16_t sum, uint16_t value)
{
    for (int bit = 0; bit < 16; bit++) {
        int carry = (value ^ sum) & 1;

        value >>= 1;
        sum = carry ? (sum >> 1) ^ 0xA001 : sum >> 1;
    }
    return sum;
}

static struct node *merge(struct node *a, struct node *b)
{
    struct node head, *last = &head;

    while (a && b) {
        struct node **least = a->value <= b->value ? &a : &b;

        last = last->next = *least;
        *least = (*least)->next;
    }
    last->next = a ? a : b;
    return head.next;
}

static struct node *sorted(struct node *list)
{
    struct node *half = list, *end;

    if (!list || !list->next)
        return list;
    for (end = list->next; end && end->next; end = end->next->next)
        half = half->next;
    end = half->next;
    half->next = NULL;
    return merge(sorted(list), sorted(end));
}

static uint16_t lists(uint32_t seed, uint16_t sum)
{
    static struct node nodes[NODES];
    struct node *list = NULL;

    for (int i = 0; i < NODES; i++) {
        seed = seed * 1103515245 + 12345;
        nodes[i] = (struct node){list, (int16_t)(seed >> 16)};
        list = &nodes[i];
    }
    for (list = sorted(list); list; list = list->next)
        sum = crc(sum, (uint16_t)list->value);
    return sum;
}

static uint16_t matrices(uint32_t seed, uint16_t sum)
{
    static int32_t a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

    for (int i = 0; i < SIZE * SIZE; i++) {
        seed = seed * 1103515245 + 12345;
        a[0][i] = (int16_t)(seed >> 16);
        b[0][i] = (int16_t)seed;
    }
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            uint32_t cell = 0;

            for (int k = 0; k < SIZE; k++)
                cell += (uint32_t)a[i][k] * (uint32_t)b[k][j];
            c[i][j] = (int32_t)cell;
        }
    for (int i = 0; i < SIZE * SIZE; i++)
        sum = crc(sum, (uint16_t)c[0][i]);
    return sum;
}

static uint16_t states(uint32_t seed, uint16_t sum)
{
    enum { START, INTEGER, FRACTION, EXPONENT, WRONG, COUNT } state = START;
    static const char alphabet[] = "0123456789+-.eE,x";
    uint16_t counts[COUNT] = {0};

    for (int i = 0; i < TEXT; i++) {
        seed = seed * 1103515245 + 12345;
        char c = alphabet[(seed >> 16) % (sizeof alphabet - 1)];

        if (c == ',') {
            counts[state]++;
            state = START;
        } else if (c >= '0' && c <= '9') {
            state = state == START ? INTEGER : state;
        } else if (c == '.') {
            state = state == INTEGER || state == START ? FRACTION : WRONG;
        } else if (c == 'e' || c == 'E') {
            state = state == INTEGER || state == FRACTION ? EXPONENT : WRONG;
        } else if (c == 'x' || state != START) {
            state = WRONG;
        }
    }
    for (int i = 0; i < COUNT; i++)
        sum = crc(sum, counts[i]);
    return sum;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    uint16_t sum = 0;

    for (int i = 0; i < rounds; i++)
        sum = states((uint32_t)i, matrices((uint32_t)i, lists((uint32_t)i, sum)));
    printf("%d rounds: %04x\n", rounds, sum);
    return 0;
}
