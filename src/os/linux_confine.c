/* What the process gives up once it has started: seccomp and no_new_privs of Linux.
 *
 * The filter is a short list of calls that this server never makes and that whoever has
 * taken it over would want: another program, a process of its own, someone else's memory,
 * the kernel's. They end the process. It is no sandbox around files: the unit in conf/
 * and the system's own rules are that. */
#include "os/posix.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#endif

#ifdef NATIVE

#define LOAD(field)                                                                      \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
/* If the number is this one, end the process. */
#define FORBID(number)                                                                   \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS)

static const struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    FORBID(SYS_execve),
    FORBID(SYS_execveat),
    FORBID(SYS_ptrace),
    FORBID(SYS_process_vm_readv),
    FORBID(SYS_process_vm_writev),
    FORBID(SYS_bpf),
    FORBID(SYS_mount),
    FORBID(SYS_umount2),
    FORBID(SYS_pivot_root),
    FORBID(SYS_chroot),
    FORBID(SYS_unshare),
    FORBID(SYS_setns),
    FORBID(SYS_init_module),
    FORBID(SYS_finit_module),
    FORBID(SYS_delete_module),
    FORBID(SYS_kexec_load),
    FORBID(SYS_reboot),
    FORBID(SYS_swapon),
    FORBID(SYS_personality),
    FORBID(SYS_perf_event_open),
    FORBID(SYS_userfaultfd),
    FORBID(SYS_add_key),
    FORBID(SYS_request_key),
    FORBID(SYS_keyctl),
#ifdef SYS_fork
    FORBID(SYS_fork),
    FORBID(SYS_vfork),
#endif
    /* Threads are made by clone(), whose flags can be seen; clone3()'s cannot, and the
     * C library does without it. */
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
    RETURN(SECCOMP_RET_ERRNO | ENOSYS),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
    LOAD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    RETURN(SECCOMP_RET_ALLOW),
};

enum status os_confine(void) {
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0],
                                 .filter = (struct sock_filter *)(uintptr_t)filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return posix_failure(errno);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return posix_failure(errno);
    return STATUS_OK;
}

#else

enum status os_confine(void) { return STATUS_NOT_FOUND; }

#endif
