import type { KernelVersion } from "../host/kernel-release.ts";

/** The last kernel whose every system call stands in one of the two tables, `ALLOWED_SYSCALLS` and this one. */
export const LAST_KNOWN_KERNEL: KernelVersion = [6, 18];

/**
 * Of all system calls of x86 (32 and 64 bits) and ARM (likewise) up to `LAST_KNOWN_KERNEL` those that
 * `ALLOWED_SYSCALLS` and the machine's own list leave out. Those with a rule about arguments (clone, clone3, socket,
 * personality) stand in neither.
 */
export const DENIED_SYSCALLS: readonly string[] = `
  mount umount umount2 pivot_root mount_setattr move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick
  setns unshare sethostname setdomainname
  init_module finit_module delete_module create_module query_module get_kernel_syms
  kexec_load kexec_file_load reboot swapon swapoff acct quotactl quotactl_fd syslog vhangup
  settimeofday clock_settime clock_settime64 stime
  add_key request_key keyctl
  bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register uprobe
  kcmp process_madvise pidfd_getfd open_by_handle_at lookup_dcookie fanotify_init file_getattr file_setattr
  lsm_get_self_attr lsm_set_self_attr lsm_list_modules
  get_mempolicy set_mempolicy set_mempolicy_home_node mbind migrate_pages move_pages
  iopl ioperm vm86 vm86old pciconfig_iobase pciconfig_read pciconfig_write
  nfsservctl uselib ustat sysfs _sysctl bdflush idle
  afs_syscall break ftime getpmsg gtty lock mpx prof profil putpmsg security stty tuxcall ulimit vserver
  oldfstat oldlstat oldstat oldolduname olduname readdir nice
  signal sigaction sigpending sigsuspend sgetmask ssetmask usr26 usr32 get_tls
`
  .trim()
  .split(/\s+/);
