/* The "new portable" cpio format: 13 hexadecimal fields, name, content, each padded to 4 bytes. */
#include "core/errno.h"
#include "core/log.h"
#include "core/string.h"
#include "fs/inode.h"
#include "mm/kmalloc.h"

#define HEADER 110
enum { INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, DEVMAJOR, DEVMINOR, RDEVMAJOR, RDEVMINOR, NAMESIZE, CHECK, FIELDS };

static bool parse_fields(const u8 *p, u32 *field) {
    for (int i = 0; i < FIELDS; i++) {
        u32 v = 0;
        for (int k = 0; k < 8; k++) {
            u8 c = p[6 + 8 * i + k], lower = c | 32;
            if (c >= '0' && c <= '9')
                v = v << 4 | (u32)(c - '0');
            else if (lower >= 'a' && lower <= 'f')
                v = v << 4 | (u32)(lower - 'a' + 10);
            else
                return false;
        }
        field[i] = v;
    }
    return true;
}

/* The last few directories stay at hand: archives are sorted, so most names share their parent. */
static struct inode *last_dir;
static char last_dir_path[512];
static size_t last_dir_length;

static struct inode *parent_of(const char *name, size_t length, const char **base) {
    size_t cut = length;
    while (cut && name[cut - 1] != '/')
        cut--;
    *base = name + cut;
    size_t n = cut ? cut - 1 : 0;
    if (last_dir && n == last_dir_length && !memcmp(name, last_dir_path, n))
        return last_dir;
    static char text[PATH_MAX];
    if (n >= sizeof text)
        return NULL;
    memcpy(text, name, n);
    text[n] = 0;
    struct inode *dir = n ? inode_at(text) : root_inode;
    if (!dir || !is_directory(dir))
        return NULL;
    if (n < sizeof last_dir_path) {
        last_dir = dir;
        last_dir_length = n;
        memcpy(last_dir_path, name, n);
    }
    return dir;
}

/* Hard links: files of the archive by their number there. Each holds a reference, since a later entry may
 * take the file's name away. */
#define LINK_SLOTS 256
static struct { u32 number; struct inode *inode; } link_slots[LINK_SLOTS];

static void forget_links(void) {
    for (unsigned i = 0; i < LINK_SLOTS; i++)
        if (link_slots[i].inode)
            inode_put(link_slots[i].inode);
    memset(link_slots, 0, sizeof link_slots);
}

static struct inode *linked_inode(u32 number) {
    unsigned slot = number % LINK_SLOTS;
    return link_slots[slot].number == number ? link_slots[slot].inode : NULL;
}

static void remember_link(u32 number, struct inode *i) {
    unsigned slot = number % LINK_SLOTS;
    if (link_slots[slot].inode)
        inode_put(link_slots[slot].inode);
    link_slots[slot].number = number;
    link_slots[slot].inode = inode_get(i);
}

static struct inode *make_inode(const u32 *f) {
    struct inode *i = inode_new(f[MODE]);
    if (i) {
        i->mtime = i->ctime = i->atime = (struct timespec){f[MTIME], 0};
        i->rdev = (u64)f[RDEVMAJOR] << 8 | f[RDEVMINOR];
    }
    return i;
}

static int add(const u32 *f, const char *name, size_t length, const u8 *content) {
    const char *base;
    struct inode *dir = parent_of(name, length, &base);
    size_t n = length - (size_t)(base - name);
    if (!dir || !n)
        return -ENOENT;
    u32 type = f[MODE] & S_IFMT;
    struct dentry *old = directory_find(dir, base, n);
    if (old && type == S_IFDIR && is_directory(old->inode)) {
        old->inode->mode = f[MODE];
        return 0;
    }
    if (old && is_directory(old->inode) && old->inode->directory.count)
        return -EISDIR;
    bool linked = type == S_IFREG && f[NLINK] > 1;
    struct inode *i = linked ? linked_inode(f[INO]) : NULL;
    if (!i && !(i = make_inode(f)))
        return -ENOMEM;
    inode_get(i);
    if (type == S_IFREG && f[FILESIZE]) {
        i->regular.archive = content;
        i->regular.archive_size = i->size = f[FILESIZE];
    } else if (type == S_IFLNK) {
        i->target = kstrdup((const char *)content, f[FILESIZE]);
        i->size = f[FILESIZE];
    }
    if (old) {
        if (is_directory(old->inode))
            last_dir = NULL;
        directory_remove(old);
    }
    struct timespec keep = i->mtime;
    int error = type == S_IFLNK && !i->target ? -ENOMEM : directory_add(dir, base, n, i);
    i->ctime = keep;
    if (linked && !error)
        remember_link(f[INO], i);
    inode_put(i);
    return error;
}

u64 cpio_unpack(const u8 *archive, u64 size) {
    u64 at = 0, entries = 0;
    bool complete = true;
    last_dir = NULL;
    while (at < size) {
        const u8 *p = archive + at;
        if (!*p) {                              /* padding between concatenated archives */
            at += 4;
            continue;
        }
        complete = false;
        u32 f[FIELDS];
        if (at + HEADER > size || memcmp(p, "070701", 6) || !parse_fields(p, f)) {
            log_error("boot archive: no header at byte %lu of %lu", at, size);
            complete = true;                    /* said already */
            break;
        }
        u64 content = ALIGN_UP(at + HEADER + f[NAMESIZE], 4), next = ALIGN_UP(content + f[FILESIZE], 4);
        if (!f[NAMESIZE] || at + HEADER + f[NAMESIZE] > size || content + f[FILESIZE] > size) {
            log_error("boot archive: entry at byte %lu is cut off", at);
            complete = true;
            break;
        }
        const char *name = (const char *)p + HEADER;
        size_t length = 0;
        while (length < f[NAMESIZE] && name[length])
            length++;
        at = next;
        if (length == 10 && !memcmp(name, "TRAILER!!!", 10)) {
            forget_links();
            complete = true;
            continue;
        }
        if (length == 1 && *name == '.')
            continue;
        int error = add(f, name, length, archive + content);
        if (error)
            log_error("boot archive: %.*s: error %d", (int)length, name, -error);
        entries++;
    }
    if (!complete)
        log_error("boot archive: it has no end");
    forget_links();
    last_dir = NULL;
    return entries;
}
