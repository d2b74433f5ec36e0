/* Where programs may send datagrams: what services have said of destinations. A datagram itself is told to
 * nobody who answers, so sendto(2) asks once for each destination, and then fails with what only services
 * know: no route, a broadcast that is not wanted, too long. */
#include "core/errno.h"
#include "core/string.h"
#include "fs/socket.h"

#define SLOTS 256                               /* by hash; of two in one slot the later stays */
#define REPLY 1232                              /* goes wherever something has come from: IPv6's least MTU */

struct destination {
    u32 socket;                                 /* whose `destinations`; 0: nobody's */
    u32 longest;                                /* bytes of a datagram */
    u32 address[5];                             /* IPv6's has its scope behind it; all 0: where the socket is connected to */
};

static struct destination known[SLOTS];
static u32 last;

static struct destination key_of(struct socket *s, const struct message *m) {
    struct destination key = {0};
    u16 family = 0;
    if (!s->destinations)
        s->destinations = ++last ? last : ++last;
    key.socket = s->destinations;
    memcpy(&family, m->address, m->address_size ? sizeof family : 0);
    if (family == AF_INET6)
        memcpy(key.address, m->address + 8, min_u64(m->address_size, 28) - 8);
    else if (m->address_size)
        memcpy(key.address, m->address + 4, 4);
    return key;
}

static struct destination *slot_of(const struct destination *key) {
    u32 hash = key->socket;
    for (u32 i = 0; i < ARRAY_SIZE(key->address); i++)
        hash = (hash ^ key->address[i]) * 0x9e3779b1;
    return &known[hash >> 16 & (SLOTS - 1)];
}

static bool is_at(const struct destination *key, const struct destination *slot) {
    return slot->socket == key->socket && !memcmp(slot->address, key->address, sizeof key->address);
}

i64 destination_check(struct socket *s, const struct message *m) {
    if (!socket_is_internet(s) || m->control_size || (!m->address_size && m->data.left <= REPLY))
        return 0;                               /* it may say the way itself; connect(2) has asked */
    struct destination key = key_of(s, m), *slot = slot_of(&key);
    if (is_at(&key, slot) && m->data.left <= slot->longest)
        return 0;
    i64 longest = socket_ask_destination(s, m);
    if (longest <= 0)
        return longest;                         /* 0: services do not know yet */
    key.longest = (u32)longest;
    if (key.socket == s->destinations)          /* nothing has been set meanwhile */
        *slot = key;
    return 0;
}

void destination_seen(struct socket *s, const struct message *m) {
    if (!m->address_size || !socket_is_internet(s))
        return;
    struct destination key = key_of(s, m), *slot = slot_of(&key);
    key.longest = REPLY;
    if (!is_at(&key, slot))
        *slot = key;
}
