/* Every system call the kernel answers itself, by theme. CALL<arguments>(number, name) is a function of its
 * own; IS(number, name, expression) is another call with some arguments given, or too little for a function:
 * the expression's a to f are the arguments. REFUSE(number, name, errno) is a documented no.
 * Included several times with different meanings of these (calls.h, syscall.c). What is not here is ENOSYS,
 * logged once for each number. */

/* files.c */
CALL1(3, close) CALL3(8, lseek) CALL3(16, ioctl) CALL1(32, dup) CALL2(33, dup2) CALL3(72, fcntl) CALL2(73, flock) 
CALL2(77, ftruncate) CALL3(217, getdents64) CALL4(221, fadvise64) CALL4(257, openat) CALL4(285, fallocate) CALL3(292, dup3)
CALL2(293, pipe2) CALL3(436, close_range)
IS(2, open, sys_openat(AT_FDCWD, a, b, c)) IS(85, creat, sys_openat(AT_FDCWD, a, O_CREAT | O_WRONLY | O_TRUNC, b))
IS(22, pipe, sys_pipe2(a, 0)) IS(74, fsync, synchronize(a, SYNC_FILE)) IS(75, fdatasync, synchronize(a, SYNC_DATA)) IS(187, readahead, sys_fadvise64(a, b, c, 3)) IS(162, sync, services_synchronize())
IS(306, syncfs, synchronize(a, SYNC_FILE_SYSTEM))
/* transfer.c */
CALL3(0, read) CALL3(1, write) CALL4(17, pread64) CALL4(18, pwrite64) CALL3(19, readv) CALL3(20, writev) CALL4(40, sendfile)
CALL4(295, preadv) CALL4(296, pwritev) CALL6(326, copy_file_range) CALL6(327, preadv2) CALL6(328, pwritev2)
/* names.c */
CALL2(76, truncate) CALL2(79, getcwd) CALL1(80, chdir) CALL1(95, umask) CALL2(132, utime) CALL2(235, utimes) CALL3(258, mkdirat) CALL4(259, mknodat)
CALL5(260, fchownat) CALL4(262, newfstatat) CALL3(263, unlinkat) CALL5(265, linkat) CALL3(266, symlinkat) CALL4(267, readlinkat)
CALL4(280, utimensat) CALL5(316, renameat2) CALL5(332, statx) CALL4(439, faccessat2)
IS(4, stat, sys_newfstatat(AT_FDCWD, a, b, 0)) IS(6, lstat, sys_newfstatat(AT_FDCWD, a, b, AT_SYMLINK_NOFOLLOW))
IS(5, fstat, sys_newfstatat(a, 0, b, AT_NULL_NAME))
IS(21, access, sys_faccessat2(AT_FDCWD, a, b, 0)) IS(269, faccessat, sys_faccessat2(a, b, c, 0))
IS(81, fchdir, fd_file((int)a) ? change_directory(fd_file((int)a)) : -EBADF)
IS(82, rename, sys_renameat2(AT_FDCWD, a, AT_FDCWD, b, 0)) IS(264, renameat, sys_renameat2(a, b, c, d, 0))
IS(83, mkdir, sys_mkdirat(AT_FDCWD, a, b)) IS(133, mknod, sys_mknodat(AT_FDCWD, a, b, c))
IS(84, rmdir, sys_unlinkat(AT_FDCWD, a, AT_REMOVEDIR)) IS(87, unlink, sys_unlinkat(AT_FDCWD, a, 0))
IS(86, link, sys_linkat(AT_FDCWD, a, AT_FDCWD, b, 0)) IS(88, symlink, sys_symlinkat(a, AT_FDCWD, b))
IS(89, readlink, sys_readlinkat(AT_FDCWD, a, b, c))
IS(90, chmod, change_mode(AT_FDCWD, a, b, 0)) IS(91, fchmod, change_mode(a, 0, b, AT_NULL_NAME))
IS(268, fchmodat, change_mode(a, b, c, 0))
IS(92, chown, sys_fchownat(AT_FDCWD, a, b, c, 0)) IS(94, lchown, sys_fchownat(AT_FDCWD, a, b, c, AT_SYMLINK_NOFOLLOW))
IS(93, fchown, sys_fchownat(a, 0, b, c, AT_NULL_NAME))
IS(137, statfs, file_system(AT_FDCWD, a, 0, b)) IS(138, fstatfs, file_system(a, 0, AT_NULL_NAME, b))
/* memory.c */
CALL6(9, mmap) CALL3(10, mprotect) CALL2(11, munmap) CALL5(25, mremap) CALL3(26, msync) CALL3(27, mincore)
CALL3(28, madvise) CALL2(149, mlock) CALL2(319, memfd_create)
IS(12, brk, sys_brk(a))
/* threads.c */
CALL0(24, sched_yield) CALL5(56, clone) CALL1(60, exit) CALL2(157, prctl) CALL2(158, arch_prctl) CALL3(203, sched_setaffinity)
CALL3(204, sched_getaffinity) CALL1(218, set_tid_address) CALL1(231, exit_group) CALL2(309, getcpu) CALL2(435, clone3)
CALL2(142, sched_setparam) CALL2(143, sched_getparam) CALL3(144, sched_setscheduler) CALL1(145, sched_getscheduler) CALL1(146, sched_get_priority_max)
CALL1(147, sched_get_priority_min) CALL2(148, sched_rr_get_interval)
IS(39, getpid, PROCESS_ID) IS(110, getppid, 0) IS(186, gettid, current_thread()->tid)
/* Robust mutexes matter when a process dies with a lock that another one holds too: never here. */
IS(273, set_robust_list, b == 24 ? 0 : -EINVAL) REFUSE(274, get_robust_list, EPERM)
/* futex.c */
CALL6(202, futex)
/* time.c */
CALL2(35, nanosleep) CALL2(36, getitimer) CALL1(37, alarm) CALL3(38, setitimer) CALL2(96, gettimeofday) CALL1(201, time)
CALL2(227, clock_settime) CALL2(228, clock_gettime) CALL2(229, clock_getres) CALL4(230, clock_nanosleep)
CALL2(283, timerfd_create) CALL4(286, timerfd_settime) CALL2(287, timerfd_gettime)
/* signal_calls.c */
CALL4(13, rt_sigaction) CALL4(14, rt_sigprocmask) CALL0(15, rt_sigreturn) CALL0(34, pause) CALL2(62, kill) CALL2(127, rt_sigpending)
CALL4(128, rt_sigtimedwait) CALL3(129, rt_sigqueueinfo) CALL2(130, rt_sigsuspend) CALL2(131, sigaltstack) CALL2(200, tkill)
CALL3(234, tgkill) CALL4(297, rt_tgsigqueueinfo)
/* poll.c */
CALL3(7, poll) CALL5(23, select) CALL6(270, pselect6) CALL5(271, ppoll)
CALL4(233, epoll_ctl) CALL6(281, epoll_pwait) CALL6(441, epoll_pwait2) CALL2(290, eventfd2) CALL1(291, epoll_create1)
IS(213, epoll_create, (i32)a <= 0 ? -EINVAL : sys_epoll_create1(0)) IS(232, epoll_wait, sys_epoll_pwait(a, b, c, d, 0, 8))
IS(284, eventfd, sys_eventfd2(a, 0))
/* sockets.c, options.c */
CALL3(41, socket) CALL3(42, connect) CALL6(44, sendto) CALL6(45, recvfrom) CALL3(46, sendmsg) CALL3(47, recvmsg) CALL2(48, shutdown)
CALL3(49, bind) CALL2(50, listen) CALL3(51, getsockname) CALL3(52, getpeername) CALL4(53, socketpair) CALL5(54, setsockopt)
CALL5(55, getsockopt) CALL4(288, accept4) CALL5(299, recvmmsg) CALL4(307, sendmmsg)
IS(43, accept, sys_accept4(a, b, c, 0))
/* system.c */
CALL1(63, uname) CALL2(98, getrusage) CALL1(99, sysinfo) CALL1(100, times) CALL2(140, getpriority) CALL2(141, setpriority) IS(251, ioprio_set, 0) IS(252, ioprio_get, 0)
CALL2(170, sethostname) CALL4(302, prlimit64) CALL3(318, getrandom)
CALL1(105, setuid) CALL3(117, setresuid) CALL3(118, getresuid)
IS(97, getrlimit, sys_prlimit64(0, a, 0, b)) IS(160, setrlimit, sys_prlimit64(0, a, b, 0))
/* Everybody is root, and there is no other user to become, and one process that leads its session. */
IS(102, getuid, 0) IS(104, getgid, 0) IS(107, geteuid, 0) IS(108, getegid, 0) IS(115, getgroups, 0) IS(120, getresgid, sys_getresuid(a, b, c))
IS(106, setgid, sys_setuid(a)) IS(113, setreuid, sys_setresuid(a, b, 0)) IS(114, setregid, sys_setresuid(a, b, 0))
IS(119, setresgid, sys_setresuid(a, b, c)) IS(122, setfsuid, 0) IS(123, setfsgid, 0) IS(116, setgroups, a ? -EPERM : 0)
IS(111, getpgrp, PROCESS_ID) IS(121, getpgid, a <= PROCESS_ID ? PROCESS_ID : -ESRCH) IS(124, getsid, a <= PROCESS_ID ? PROCESS_ID : -ESRCH)
IS(109, setpgid, a <= PROCESS_ID && b <= PROCESS_ID ? -EPERM : -ESRCH) REFUSE(112, setsid, EPERM)

/* There are no processes: these fail the way callers explain best. */
REFUSE(57, fork, ENOSYS) REFUSE(58, vfork, ENOSYS) REFUSE(59, execve, ENOSYS) REFUSE(322, execveat, ENOSYS)
REFUSE(61, wait4, ECHILD) REFUSE(247, waitid, ECHILD) REFUSE(161, chroot, EPERM) REFUSE(272, unshare, EPERM)
/* No extended attributes: "not supported", never "no such call" (shutil.copystat would raise). */
REFUSE(188, setxattr, EOPNOTSUPP) REFUSE(189, lsetxattr, EOPNOTSUPP) REFUSE(190, fsetxattr, EOPNOTSUPP)
REFUSE(191, getxattr, EOPNOTSUPP) REFUSE(192, lgetxattr, EOPNOTSUPP) REFUSE(193, fgetxattr, EOPNOTSUPP)
REFUSE(194, listxattr, EOPNOTSUPP) REFUSE(195, llistxattr, EOPNOTSUPP) REFUSE(196, flistxattr, EOPNOTSUPP)
REFUSE(197, removexattr, EOPNOTSUPP) REFUSE(198, lremovexattr, EOPNOTSUPP) REFUSE(199, fremovexattr, EOPNOTSUPP)
/* Callers have a way without these. */
REFUSE(334, rseq, ENOSYS) REFUSE(324, membarrier, ENOSYS) REFUSE(425, io_uring_setup, ENOSYS) REFUSE(434, pidfd_open, ENOSYS)
REFUSE(253, inotify_init, ENOSYS) REFUSE(294, inotify_init1, ENOSYS) REFUSE(254, inotify_add_watch, ENOSYS) REFUSE(255, inotify_rm_watch, ENOSYS)
REFUSE(282, signalfd, ENOSYS) REFUSE(289, signalfd4, ENOSYS) REFUSE(237, mbind, ENOSYS) REFUSE(330, pkey_alloc, ENOSYS)
REFUSE(451, cachestat, ENOSYS) REFUSE(452, fchmodat2, ENOSYS) REFUSE(275, splice, ENOSYS) REFUSE(239, get_mempolicy, ENOSYS)
