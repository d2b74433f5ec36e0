/* Every system call the kernel answers itself: CALL<arguments>(number, name), by theme.
 * Included several times with different meanings of CALL (calls.h, syscall.c). What is not here is ENOSYS,
 * logged once for each number. REFUSE(number, name, errno) is a documented no. */

/* files.c */
CALL3(2, open) CALL1(3, close) CALL2(5, fstat) CALL3(8, lseek) CALL3(16, ioctl) CALL1(22, pipe) CALL1(32, dup) CALL2(33, dup2)
CALL3(72, fcntl) CALL2(73, flock) CALL1(74, fsync) CALL1(75, fdatasync) CALL2(77, ftruncate)
CALL3(217, getdents64) CALL4(221, fadvise64) CALL4(257, openat) CALL4(285, fallocate) CALL2(293, pipe2) CALL3(292, dup3)
CALL0(162, sync) CALL1(306, syncfs) CALL3(436, close_range) CALL3(187, readahead)
/* transfer.c */
CALL3(0, read) CALL3(1, write) CALL4(17, pread64) CALL4(18, pwrite64) CALL3(19, readv) CALL3(20, writev) CALL4(40, sendfile)
CALL5(295, preadv) CALL5(296, pwritev) CALL6(326, copy_file_range) CALL6(327, preadv2) CALL6(328, pwritev2)
/* names.c */
CALL2(4, stat) CALL2(6, lstat) CALL2(21, access) CALL2(76, truncate) CALL2(79, getcwd) CALL1(80, chdir) CALL1(81, fchdir)
CALL2(82, rename) CALL2(83, mkdir) CALL1(84, rmdir) CALL2(86, link) CALL1(87, unlink) CALL2(88, symlink) CALL3(89, readlink)
CALL2(90, chmod) CALL2(91, fchmod) CALL3(92, chown) CALL3(93, fchown) CALL3(94, lchown) CALL1(95, umask) CALL3(133, mknod)
CALL2(137, statfs) CALL2(138, fstatfs) CALL3(258, mkdirat) CALL4(259, mknodat) CALL5(260, fchownat) CALL4(262, newfstatat)
CALL3(263, unlinkat) CALL4(264, renameat) CALL5(265, linkat) CALL3(266, symlinkat) CALL4(267, readlinkat) CALL3(268, fchmodat)
CALL3(269, faccessat) CALL4(280, utimensat) CALL5(316, renameat2) CALL5(332, statx) CALL4(439, faccessat2) CALL2(85, creat)
CALL2(132, utime) CALL2(235, utimes)
/* memory.c */
CALL6(9, mmap) CALL3(10, mprotect) CALL2(11, munmap) CALL1(12, brk) CALL5(25, mremap) CALL3(26, msync) CALL3(27, mincore)
CALL3(28, madvise) CALL2(149, mlock) CALL2(319, memfd_create)
/* threads.c */
CALL0(24, sched_yield) CALL0(39, getpid) CALL5(56, clone) CALL1(60, exit) CALL1(231, exit_group) CALL0(110, getppid)
CALL2(158, arch_prctl) CALL0(186, gettid) CALL1(218, set_tid_address) CALL2(273, set_robust_list) CALL3(274, get_robust_list)
CALL3(204, sched_getaffinity) CALL3(203, sched_setaffinity) CALL2(435, clone3) CALL5(157, prctl) CALL3(309, getcpu)
CALL2(143, sched_getparam) CALL3(144, sched_setscheduler) CALL1(145, sched_getscheduler) CALL2(142, sched_setparam)
CALL1(146, sched_get_priority_max) CALL1(147, sched_get_priority_min) CALL2(148, sched_rr_get_interval)
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
CALL3(7, poll) CALL5(23, select) CALL6(270, pselect6) CALL5(271, ppoll) CALL1(213, epoll_create) CALL4(232, epoll_wait)
CALL4(233, epoll_ctl) CALL6(281, epoll_pwait) CALL6(441, epoll_pwait2) CALL1(284, eventfd) CALL2(290, eventfd2) CALL1(291, epoll_create1)
/* sockets.c */
CALL3(41, socket) CALL6(44, sendto) CALL6(45, recvfrom) CALL3(46, sendmsg) CALL3(47, recvmsg) CALL2(48, shutdown)
CALL3(51, getsockname) CALL3(52, getpeername) CALL4(53, socketpair) CALL5(54, setsockopt) CALL5(55, getsockopt)
/* system.c */
CALL1(63, uname) CALL2(97, getrlimit) CALL2(98, getrusage) CALL1(99, sysinfo) CALL1(100, times) CALL4(302, prlimit64) CALL2(160, setrlimit)
CALL3(318, getrandom) CALL0(102, getuid) CALL0(104, getgid) CALL0(107, geteuid) CALL0(108, getegid) CALL0(111, getpgrp)
CALL1(121, getpgid) CALL1(124, getsid) CALL0(112, setsid) CALL2(109, setpgid) CALL2(115, getgroups) CALL2(116, setgroups) CALL3(118, getresuid) CALL3(120, getresgid)
CALL1(122, setfsuid) CALL1(123, setfsgid) CALL2(140, getpriority) CALL3(141, setpriority) CALL2(170, sethostname)
CALL1(105, setuid) CALL1(106, setgid) CALL2(113, setreuid) CALL2(114, setregid) CALL3(117, setresuid) CALL3(119, setresgid)

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
