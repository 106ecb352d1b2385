/*
 * The smallest guest that does something: it says its command line, works for a moment, and says a number ten times a
 * second. Between that it is halted. It takes bytes on the serial port: `q` ends it, `x` crashes it, all others are said
 * again. The power button ends it too. Started by PVH (Xen's docs/misc/pvh.pandoc): 32 bits, flat, %ebx has the start
 * information (xen/include/public/arch-x86/hvm/start_info.h).
 */
	.set SERIAL, 0x3f8
	.set APIC, 0xfee00000		/* Intel SDM 3A, chapter 11; counts at 1 GHz under QEMU */
	.set TICK, 0x20			/* vector */
	.set TICK_COUNT, 781250		/* a tenth of a second, of 1 GHz by 128 */
	.set BUTTON, 0xfea00000		/* QEMU docs/specs/acpi_hw_reduced_hotplug.rst: events, read once */
	.set BUTTON_EVENT, 2
	.set SLEEP, 0xfea00200		/* ACPI 6.4, 4.8.3.7: sleep control register */
	.set SLEEP_S5, 5 << 2 | 1 << 5
	.set CMDLINE, 24		/* in the start information */
	.set WORK, 2000000		/* instructions of a kernel: an emulated one needs seconds for them */

	.section .note, "a", @note
	.long 4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.globl start
start:	mov $stack, %esp
	lgdt gdtr
	ljmp $8, $1f
1:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $up, %esi
	call say
	mov CMDLINE(%ebx), %esi
	test %esi, %esi
	jz 2f
	call say
2:	call newline

	mov $WORK, %ecx
3:	loop 3b
	mov $ready, %esi
	call say

	mov $tick, %eax			/* one gate; anything else that happens is the end */
	mov %ax, idt + TICK * 8
	movw $8, idt + TICK * 8 + 2
	movw $0x8e00, idt + TICK * 8 + 4
	shr $16, %eax
	mov %ax, idt + TICK * 8 + 6
	lidt idtr
	movl $0x1ff, APIC + 0xf0	/* on */
	movl $0xa, APIC + 0x3e0		/* by 128 */
	movl $0x20000 | TICK, APIC + 0x320	/* again and again */
	movl $TICK_COUNT, APIC + 0x380

	xor %ebx, %ebx
idle:	sti
	hlt
	cli
	testl $BUTTON_EVENT, BUTTON
	jnz off
	mov $tick_word, %esi
	call say
	mov %ebx, %eax
	call number
	call newline
	inc %ebx
hear:	mov $SERIAL + 5, %dx
	in %dx, %al
	test $1, %al
	jz idle
	mov $SERIAL, %dx
	in %dx, %al
	cmp $'q', %al
	je off
	cmp $'x', %al
	je crash
	call put
	jmp hear

off:	mov $bye, %esi
	call say
	movb $SLEEP_S5, SLEEP
4:	hlt
	jmp 4b

crash:	ud2

tick:	movl $0, APIC + 0xb0		/* was heard */
	iret

say:	lodsb
	test %al, %al
	jz 5f
	call put
	jmp say
5:	ret

newline:
	mov $'\n', %al
put:	mov %al, %ah
	mov $SERIAL + 5, %dx
6:	in %dx, %al
	test $0x20, %al
	jz 6b
	mov %ah, %al
	mov $SERIAL, %dx
	out %al, %dx
	ret

number:	xor %edx, %edx			/* %eax, in decimal */
	mov $10, %ecx
	div %ecx
	push %edx
	test %eax, %eax
	jz 7f
	call number
7:	pop %eax
	add $'0', %al
	jmp put

	.section .rodata
up:	.asciz "up "
ready:	.asciz "ready\n"
tick_word:
	.asciz "tick "
bye:	.asciz "bye\n"
	.align 8
gdt:	.quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:	.word gdtr - gdt - 1
	.long gdt
idtr:	.word (TICK + 1) * 8 - 1
	.long idt

	.bss
	.align 8
idt:	.skip (TICK + 1) * 8
	.skip 1024
stack:
