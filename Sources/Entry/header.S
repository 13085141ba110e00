/* SPDX-License-Identifier: Apache-2.0 */
/* struct apus_image_header; the linker script counts the tables that Swift fills. */

  .section .rodata.apus_header, "a"
  .balign 8
  .globl apus_header
apus_header:
  .long 0x53555041         /* APUS_IMAGE_MAGIC */
  .long 2                  /* APUS_ABI_VERSION */
  .quad trampoline
  .quad trampoline_size
  .quad cpuid_rules_start
  .quad cpuid_rules_count
  .quad msr_list_start
  .quad msr_list_count
  .quad feature_msrs_start
  .quad feature_msrs_count
  .quad 0x01000120         /* IA32_MCG_CAP: MCG_SER_P, MCG_CTL_P, 32 banks at most */
