/* SPDX-License-Identifier: Apache-2.0 */
/* Every exception raises the next one, until the stack has run over all there is. */
#include "kernel.inc"

  ALL_VECTORS handler
  mov $0x7000, %esp
handler:
  ud2
  END
