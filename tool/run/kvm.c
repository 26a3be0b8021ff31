/* SPDX-License-Identifier: MIT
 *
 * KVM; see kvm.h.
 *
 * That /dev/kvm is there says little: inside of another virtual machine it may be
 * much slower than TCG, or emulate instructions one by one and not know them all.
 * So a guest of a few instructions is timed, in a process that is given up when
 * it takes too long.
 */
#include "run/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DEVICE "/dev/kvm"

int kvm_check(struct error *err)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	int errnum = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	error_set(err, ERROR_SYSTEM, errnum, "cannot use KVM: '" DEVICE "'");
	if (errnum == EACCES)
		return error_hint(err, "become a member of its group (often 'kvm'), or leave --accel out");
	return error_hint(err, "this host has no virtualization, or has it switched off: leave --accel out");
}

#ifdef __x86_64__

#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"

#define LIMIT_MS 60		/* for it all */
#define ROUNDS 300000u		/* of the loop; 0.1 to 0.2 ms */
#define FIRST_ROUNDS 200u	/* before that, in at most that many ns: does it crawl? */
#define FIRST_NS_MAX 60000
#define TRIES 5			/* the fastest counts */
#define EXITS 50u		/* writes to a port */
#define EXIT_NS_MAX 10000	/* for one of them; SeaBIOS does tens of thousands */
#define SLOWDOWN_MAX 3		/* TCG takes more than that */

#define PORT 0x10

/* The guest's memory: code, then page tables that map all of it to itself. */
#define MEMORY_SIZE 0x10000u
#define CODE16 0x1000u
#define CODE64 0x2000u
#define TABLES 0x3000u

#define CR0_ET 0x10u
#define CR0_PE_PG 0x80000001u
#define CR4_PAE_OSFXSR 0x220u
#define EFER_LME_LMA 0x500u
#define PRESENT_WRITE 3u
#define LARGE_PAGE 0x80u

/* Each runs the loop, says so, then writes to the port for ever. */
static const unsigned char code16[] = {
	0x66, 0x49,			/* .1: dec ecx */
	0x75, 0xfc,			/* jnz .1 */
	0xe6, PORT,			/* .2: out PORT, al */
	0xeb, 0xfc,			/* jmp .2 */
};
static const unsigned char code64[] = {
	0x66, 0x0f, 0xef, 0xc0,		/* pxor xmm0, xmm0 */
	0x0f, 0x11, 0x04, 0x24,		/* movups [rsp], xmm0 */
	0xff, 0xc9,			/* .1: dec ecx */
	0x75, 0xfc,			/* jnz .1 */
	0xe6, PORT,			/* .2: out PORT, al */
	0xeb, 0xfc,			/* jmp .2 */
};

struct probe {
	int vcpu;
	struct kvm_run *run;
	unsigned char *memory;
};

static bool make_guest(struct probe *guest)
{
	int kvm = open(DEVICE, O_RDWR | O_CLOEXEC);
	int vm = kvm >= 0 && ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_API_VERSION ?
			 ioctl(kvm, KVM_CREATE_VM, 0) :
			 -1;
	int run_size = vm >= 0 ? ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0) : -1;

	guest->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (run_size <= 0 || guest->memory == MAP_FAILED)
		return false;
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY_SIZE,
		.userspace_addr = (uintptr_t)guest->memory,
	};
	/* Intel's real mode wants three pages somewhere. */
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) != 0)
		return false;
	guest->vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (guest->vcpu < 0)
		return false;
	guest->run = mmap(NULL, (size_t)run_size, PROT_READ | PROT_WRITE, MAP_SHARED, guest->vcpu, 0);
	return guest->run != MAP_FAILED;
}

static void load_guest(const struct probe *guest)
{
	uint64_t tables[3] = {
		(TABLES + 0x1000) | PRESENT_WRITE,
		(TABLES + 0x2000) | PRESENT_WRITE,
		PRESENT_WRITE | LARGE_PAGE,
	};

	memcpy(guest->memory + CODE16, code16, sizeof(code16));
	memcpy(guest->memory + CODE64, code64, sizeof(code64));
	for (unsigned int i = 0; i < 3; i++)
		memcpy(guest->memory + TABLES + 0x1000 * i, &tables[i], sizeof(tables[i]));
}

/* Real mode, flat from 0; or long mode. */
static bool set_mode(const struct probe *guest, bool long_mode)
{
	struct kvm_sregs s;

	if (ioctl(guest->vcpu, KVM_GET_SREGS, &s) != 0)
		return false;
	s.cs.base = 0;
	s.cs.selector = 0;
	s.cr0 = CR0_ET;		/* caches on */
	if (long_mode) {
		struct kvm_segment code = { .limit = 0xffffffff, .selector = 8, .type = 11,
					    .present = 1, .s = 1, .l = 1, .g = 1 };
		struct kvm_segment data = { .limit = 0xffffffff, .selector = 16, .type = 3,
					    .present = 1, .s = 1, .db = 1, .g = 1 };
		s.cs = code;
		s.ds = s.es = s.fs = s.gs = s.ss = data;
		s.cr3 = TABLES;
		s.cr4 = CR4_PAE_OSFXSR;
		s.efer = EFER_LME_LMA;
		s.cr0 |= CR0_PE_PG;
	}
	return ioctl(guest->vcpu, KVM_SET_SREGS, &s) == 0;
}

/* Run to the next write to the port. */
static bool run_guest(const struct probe *guest)
{
	return ioctl(guest->vcpu, KVM_RUN, 0) == 0 && guest->run->exit_reason == KVM_EXIT_IO &&
	       guest->run->io.port == PORT;
}

/* What the last exit left to be done, before registers are set. */
static void finish_exit(const struct probe *guest)
{
	guest->run->immediate_exit = 1;
	ioctl(guest->vcpu, KVM_RUN, 0);
	guest->run->immediate_exit = 0;
}

/* Time in which the guest's loop runs, from rip on; -1 if it does not. */
static int64_t time_loop(const struct probe *guest, uint64_t rip, uint32_t rounds)
{
	struct kvm_regs regs = { .rip = rip, .rcx = rounds, .rsp = MEMORY_SIZE - 16, .rflags = 2 };

	finish_exit(guest);
	int64_t started = clock_ns();
	if (ioctl(guest->vcpu, KVM_SET_REGS, &regs) != 0 || !run_guest(guest) ||
	    ioctl(guest->vcpu, KVM_GET_REGS, &regs) != 0 || regs.rcx != 0)
		return -1;
	return clock_ns() - started;
}

/* The same here. */
static int64_t time_own_loop(uint32_t rounds)
{
	int64_t started = clock_ns();

	__asm__ volatile("1: decl %0; jnz 1b" : "+r"(rounds) : : "cc");
	return clock_ns() - started;
}

/* The fastest of some tries, for others were interrupted; -1 if one fails. */
static int64_t best_loop(const struct probe *guest, uint64_t rip, uint32_t rounds)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < TRIES && best >= 0; i++) {
		int64_t took = time_loop(guest, rip, rounds);

		best = took < best ? took : best;
	}
	return best;
}

static bool loop_is_fast(const struct probe *guest, uint64_t rip)
{
	int64_t first = best_loop(guest, rip, FIRST_ROUNDS), own = INT64_MAX;

	if (first < 0 || first > FIRST_NS_MAX)
		return false;
	for (int i = 0; i < TRIES; i++) {
		int64_t took = time_own_loop(ROUNDS);

		own = took < own ? took : own;
	}
	int64_t best = best_loop(guest, rip, ROUNDS);
	return best >= 0 && best <= SLOWDOWN_MAX * own;
}

static bool exits_are_fast(const struct probe *guest)
{
	int64_t started = clock_ns();

	for (unsigned int i = 0; i < EXITS; i++) {
		if (!run_guest(guest))
			return false;
	}
	return clock_ns() - started <= (int64_t)EXITS * EXIT_NS_MAX;
}

static bool probe(void)
{
	struct probe guest;

	if (!make_guest(&guest))
		return false;
	load_guest(&guest);
	return set_mode(&guest, false) && loop_is_fast(&guest, CODE16) && set_mode(&guest, true) &&
	       loop_is_fast(&guest, CODE64) && exits_are_fast(&guest);
}

struct kvm_question kvm_ask(void)
{
	struct kvm_question none = { 0 };
	int done[2];

	if (access(DEVICE, R_OK | W_OK) != 0 || pipe2(done, O_CLOEXEC) != 0)
		return none;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(probe() ? 0 : 1);
	}
	close(done[1]);
	if (pid > 0)
		return (struct kvm_question){ pid, done[0] };
	close(done[0]);
	return none;
}

/* The probe's process has ended, or is ended.  Was its answer yes? */
static bool end_probe(struct kvm_question *question)
{
	int status = -1;

	while (waitpid(question->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(question->done);
	*question = (struct kvm_question){ 0 };
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool kvm_is_fast(struct kvm_question *question)
{
	struct pollfd ended = { .fd = question->done, .events = POLLIN };

	if (question->pid == 0)
		return false;
	if (poll(&ended, 1, LIMIT_MS) <= 0)
		kill(question->pid, SIGKILL);
	return end_probe(question);
}

void kvm_forget(struct kvm_question *question)
{
	if (question->pid == 0)
		return;
	kill(question->pid, SIGKILL);
	end_probe(question);
}

#else

struct kvm_question kvm_ask(void)
{
	return (struct kvm_question){ 0 };
}

bool kvm_is_fast(struct kvm_question *question)
{
	(void)question;
	return false;
}

void kvm_forget(struct kvm_question *question)
{
	(void)question;
}

#endif
