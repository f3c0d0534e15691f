/**
 * The system calls that a container may make whatever their arguments, by what they are for. It is what Docker's
 * documentation of its default profile leaves after everything that reaches beyond a container (mounting, modules,
 * clocks, keys, tracing of the kernel, other namespaces). Names are the kernel's, of all machines: a runtime skips those
 * that its machine lacks.
 * @see https://docs.docker.com/engine/security/seccomp/
 */
export const ALLOWED_SYSCALLS: readonly string[] = [
  // Opening, reading and writing files.
  ...words(`
    open openat openat2 creat close close_range read readv pread64 preadv preadv2
    write writev pwrite64 pwritev pwritev2 lseek _llseek dup dup2 dup3 fcntl fcntl64 ioctl flock
    ftruncate ftruncate64 truncate truncate64 fallocate fadvise64 fadvise64_64 readahead
    fsync fdatasync sync syncfs sync_file_range sendfile sendfile64 copy_file_range splice tee vmsplice
    memfd_create memfd_secret cachestat name_to_handle_at
  `),
  // Names, metadata and attributes of files.
  ...words(`
    stat stat64 lstat lstat64 fstat fstat64 newfstatat fstatat64 statx statfs statfs64 fstatfs fstatfs64
    statmount listmount access faccessat faccessat2 readlink readlinkat getcwd getdents getdents64
    mkdir mkdirat rmdir link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 mknod mknodat
    chdir fchdir umask chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 lchown lchown32 fchownat
    utime utimes futimesat utimensat utimensat_time64
    getxattr getxattrat lgetxattr fgetxattr setxattr setxattrat lsetxattr fsetxattr
    listxattr listxattrat llistxattr flistxattr removexattr removexattrat lremovexattr fremovexattr
    inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  `),
  // Waiting for descriptors, and asynchronous input and output.
  ...words(`
    select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
    eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64
    io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64
  `),
  // Memory.
  ...words(`
    brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal
    remap_file_pages pkey_alloc pkey_free pkey_mprotect map_shadow_stack membarrier process_mrelease
  `),
  // Processes, threads and their identity.
  ...words(`
    fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill tgkill
    getpid getppid gettid getpgid getpgrp setpgid getsid setsid
    pidfd_open pidfd_send_signal prctl restart_syscall rseq set_tid_address set_robust_list get_robust_list
    set_thread_area get_thread_area uretprobe riscv_hwprobe
    ptrace process_vm_readv process_vm_writev
    getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups getgroups32
    getresuid getresuid32 getresgid getresgid32 setuid setuid32 setgid setgid32 setgroups setgroups32
    setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32
    setfsuid setfsuid32 setfsgid setfsgid32 capget capset
    seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
  `),
  // Scheduling and limits.
  ...words(`
    sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_min sched_get_priority_max
    sched_rr_get_interval sched_rr_get_interval_time64 getpriority setpriority ioprio_get ioprio_set
    getrlimit ugetrlimit setrlimit prlimit64 getrusage getcpu times
  `),
  // Signals and futexes.
  ...words(`
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack sigprocmask sigreturn pause
    futex futex_time64 futex_wait futex_wake futex_requeue futex_waitv
  `),
  // Time: reading it, sleeping, timers; adjtimex and its kin read as well, the kernel refuses the rest.
  ...words(`
    time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep
    clock_nanosleep clock_nanosleep_time64 clock_adjtime clock_adjtime64 adjtimex alarm getitimer setitimer
    timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  `),
  // Pipes, sockets and messages between processes.
  ...words(`
    pipe pipe2 socketpair socketcall bind connect listen accept accept4 shutdown getsockname getpeername
    getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64
    ipc msgget msgctl msgsnd msgrcv semget semctl semop semtimedop semtimedop_time64 shmget shmctl shmat shmdt
    mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64
  `),
  // The machine.
  ...words(`
    uname sysinfo getrandom
  `),
];

/** Calls that only some machines have. Keys are Node's `process.arch`. */
export const MACHINE_SYSCALLS: Readonly<Record<string, readonly string[]>> = {
  x64: words("arch_prctl modify_ldt"),
  ia32: words("modify_ldt"),
  arm: words("arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
  arm64: words("arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
  ppc64: words("sync_file_range2 swapcontext"),
  riscv64: words("riscv_flush_icache"),
  s390x: words("s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"),
};

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
