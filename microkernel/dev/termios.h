/* Linux's termios for x86-64: flags, control characters, ioctl numbers (asm-generic/termbits.h, ioctls.h). */
#pragma once

#include "core/types.h"

enum { BRKINT = 02, ISTRIP = 040, INLCR = 0100, IGNCR = 0200, ICRNL = 0400, IUCLC = 01000, IXON = 02000, IUTF8 = 040000 };
enum { OPOST = 01, ONLCR = 04, OCRNL = 010, ONLRET = 040 };
enum { CS8 = 060, CREAD = 0200, B38400 = 017 };
enum { ISIG = 01, ICANON = 02, ECHO = 010, ECHOE = 020, ECHOK = 040, ECHONL = 0100, NOFLSH = 0200, ECHOCTL = 01000, ECHOKE = 04000, IEXTEN = 0100000 };
enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL, VREPRINT, VDISCARD, VWERASE, VLNEXT, VEOL2, NCCS = 19 };
enum {
    TCGETS = 0x5401, TCSETS, TCSETSW, TCSETSF, TCXONC = 0x540a, TCFLSH = 0x540b, TIOCSCTTY = 0x540e, TIOCGPGRP = 0x540f,
    TIOCSPGRP = 0x5410, TIOCOUTQ = 0x5411, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414, TIOCGSID = 0x5429,
    TCSBRK = 0x5409, TCSBRKP = 0x5425,
};

struct termios {
    u32 iflag, oflag, cflag, lflag;
    u8 line, cc[NCCS];
};
