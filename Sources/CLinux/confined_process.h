// A program with limits. Limits can be set only between fork and exec, where Swift code must not run.
#if defined(__linux__)
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The limits of a program: its CPU time in seconds, its address space in bytes, its open files, and the length of a file that it
// writes, in bytes.
struct kith_limits {
    unsigned long long cpu_seconds, memory, open_files, file_length;
};

static inline int kith_limit(int resource, unsigned long long value) {
    struct rlimit limit = {(rlim_t)value, (rlim_t)value};
    return setrlimit(resource, &limit);
}

// Becomes the program. Ends the process if anything fails. Calls only functions that are safe after fork.
static inline void kith_become(
    const char *path, char *const arguments[], char *const environment[], const int streams[3],
    const struct kith_limits *limits) {
    struct sigaction normal = {0};
    normal.sa_handler = SIG_DFL;
    for (int number = 1; number < 65; number++) sigaction(number, &normal, 0);
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, 0) != 0 || setpgid(0, 0) != 0 || chdir("/") != 0) _exit(127);
    // The program ends with the process that has started it, and can't get more rights than that process.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(127);
    for (int number = 0; number < 3; number++)
        if (dup2(streams[number], number) != number) _exit(127);
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0)
#endif
        for (int number = 3; number < 65536; number++) close(number);
    if (kith_limit(RLIMIT_CPU, limits->cpu_seconds) != 0 || kith_limit(RLIMIT_AS, limits->memory) != 0) _exit(127);
    if (kith_limit(RLIMIT_NOFILE, limits->open_files) != 0 || kith_limit(RLIMIT_CORE, 0) != 0) _exit(127);
    if (kith_limit(RLIMIT_FSIZE, limits->file_length) != 0) _exit(127);
    execve(path, arguments, environment);
    _exit(127);
}

// Starts a program as the leader of a process group of its own. It inherits only `streams`, whose numbers are above 2, as its
// standard input, output and error. Returns its process, or -1.
static inline int kith_start_confined(
    const char *path, char *const arguments[], char *const environment[], const int streams[3],
    const struct kith_limits *limits) {
    int process = fork();
    if (process == 0) kith_become(path, arguments, environment, streams, limits);
    // Whichever of the two processes is first, the group exists before anybody sends it a signal.
    if (process > 0) setpgid(process, process);
    return process;
}
#endif
