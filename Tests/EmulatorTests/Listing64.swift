// SPDX-License-Identifier: Apache-2.0
import X86

/// Encodings of 64-bit code.
extension Listing {
  static let bits64: [Listing] = [
    Listing(
      "MOV: addresses", .bits64,
      """
      8a00  mov al, byte ptr [rax]
      668b4500  mov ax, word ptr [rbp]
      8b0424  mov eax, dword ptr [rsp]
      498b0424  mov rax, qword ptr [r12]
      418a4d00  mov cl, byte ptr [r13]
      668b4b10  mov cx, word ptr [rbx + 16]
      8b4dfc  mov ecx, dword ptr [rbp - 4]
      488b8c2480000000  mov rcx, qword ptr [rsp + 128]
      418a9018fcffff  mov dl, byte ptr [r8 - 1000]
      668b140b  mov dx, word ptr [rbx + rcx]
      8b547308  mov edx, dword ptr [rbx + 2*rsi + 8]
      4a8b548df8  mov rdx, qword ptr [rbp + 4*r9 - 8]
      438a9cfd78563412  mov bl, byte ptr [r13 + 8*r15 + 305419896]
      668b1cfd40000000  mov bx, word ptr [8*rdi + 64]
      438b1c22  mov ebx, dword ptr [r10 + r12]
      488b1d34120000  mov rbx, qword ptr [rip + 4660]
      8a25f0ffffff  mov ah, byte ptr [rip - 16]
      67668b2490  mov sp, word ptr [eax + 4*edx]
      678b2508000000  mov esp, dword ptr [eip + 8]
      64488b242528000000  mov rsp, qword ptr fs:[40]
      658a6808  mov ch, byte ptr gs:[rax + 8]
      668b2c250000e0fe  mov bp, word ptr [-18874368]
      65428b2ca5fcffffff  mov ebp, dword ptr gs:[4*r12 - 4]
      67488b6c240c  mov rbp, qword ptr [esp + 12]
      """),
    Listing(
      "MOV: registers", .bits64,
      """
      887500  mov byte ptr [rbp], dh
      883c24  mov byte ptr [rsp], bh
      41883424  mov byte ptr [r12], sil
      66897310  mov word ptr [rbx + 16], si
      66897dfc  mov word ptr [rbp - 4], di
      664489842480000000  mov word ptr [rsp + 128], r8w
      89340b  mov dword ptr [rbx + rcx], esi
      897c7308  mov dword ptr [rbx + 2*rsi + 8], edi
      4689448df8  mov dword ptr [rbp + 4*r9 - 8], r8d
      488934fd40000000  mov qword ptr [8*rdi + 64], rsi
      4b893c22  mov qword ptr [r10 + r12], rdi
      4c890534120000  mov qword ptr [rip + 4660], r8
      """),
    Listing(
      "MOV: constants", .bits64,
      """
      41c64500ff  mov byte ptr [r13], -1
      6641c78018fcffff3412  mov word ptr [r8 - 1000], 4660
      43c784fd78563412ffffffff  mov dword ptr [r13 + 8*r15 + 305419896], -1
      48c705f0ffffff34120000  mov qword ptr [rip - 16], 4660
      """),
    Listing(
      "MOV: extended", .bits64,
      """
      6766440fb63c90  movzx r15w, byte ptr [eax + 4*edx]
      67660fbe0508000000  movsx ax, byte ptr [eip + 8]
      64440fb63c2528000000  movzx r15d, byte ptr fs:[40]
      650fb74008  movzx eax, word ptr gs:[rax + 8]
      0fbe0c250000e0fe  movsx ecx, byte ptr [-18874368]
      65420fbf14a5fcffffff  movsx edx, word ptr gs:[4*r12 - 4]
      674c0fb664240c  movzx r12, byte ptr [esp + 12]
      4c0fb738  movzx r15, word ptr [rax]
      480fbe4500  movsx rax, byte ptr [rbp]
      480fbf0c24  movsx rcx, word ptr [rsp]
      486303  movsxd rax, dword ptr [rbx]
      4d634a04  movsxd r9, dword ptr [r10 + 4]
      """),
    Listing(
      "Arithmetic: into memory", .bits64,
      """
      41011c24  add dword ptr [r12], ebx
      41007d00  add byte ptr [r13], dil
      66014b10  add word ptr [rbx + 16], cx
      4a095c8df8  or qword ptr [rbp + 4*r9 - 8], rbx
      66430994fd78563412  or word ptr [r13 + 8*r15 + 305419896], dx
      40082cfd40000000  or byte ptr [8*rdi + 64], bpl
      644811242528000000  adc qword ptr fs:[40], rsp
      6544107808  adc byte ptr gs:[rax + 8], r15b
      1124250000e0fe  adc dword ptr [-18874368], esp
      41193424  sbb dword ptr [r12], esi
      49196d00  sbb qword ptr [r13], rbp
      184b10  sbb byte ptr [rbx + 16], cl
      664221648df8  and word ptr [rbp + 4*r9 - 8], sp
      4b21b4fd78563412  and qword ptr [r13 + 8*r15 + 305419896], rsi
      442104fd40000000  and dword ptr [8*rdi + 64], r8d
      64281c2528000000  sub byte ptr fs:[40], bl
      65294008  sub dword ptr gs:[rax + 8], eax
      662934250000e0fe  sub word ptr [-18874368], si
      6645310424  xor word ptr [r12], r8w
      4d314500  xor qword ptr [r13], r8
      306310  xor byte ptr [rbx + 16], ah
      4e397c8df8  cmp qword ptr [rbp + 4*r9 - 8], r15
      43398cfd78563412  cmp dword ptr [r13 + 8*r15 + 305419896], ecx
      663904fd40000000  cmp word ptr [8*rdi + 64], ax
      """),
    Listing(
      "Arithmetic: into a register", .bits64,
      """
      400265fc  add spl, byte ptr [rbp - 4]
      4803942480000000  add rdx, qword ptr [rsp + 128]
      66430b1c22  or bx, word ptr [r10 + r12]
      440a0534120000  or r8b, byte ptr [rip + 4660]
      65421204a5fcffffff  adc al, byte ptr gs:[4*r12 - 4]
      67136c240c  adc ebp, dword ptr [esp + 12]
      1a55fc  sbb dl, byte ptr [rbp - 4]
      1bbc2480000000  sbb edi, dword ptr [rsp + 128]
      47233c22  and r15d, dword ptr [r10 + r12]
      66232d34120000  and bp, word ptr [rip + 4660]
      654a2b3ca5fcffffff  sub rdi, qword ptr gs:[4*r12 - 4]
      67662b7c240c  sub di, word ptr [esp + 12]
      4c3365fc  xor r12, qword ptr [rbp - 4]
      664433bc2480000000  xor r15w, word ptr [rsp + 128]
      3a3534120000  cmp dh, byte ptr [rip + 4660]
      483b05f0ffffff  cmp rax, qword ptr [rip - 16]
      """),
    Listing(
      "Arithmetic: constants", .bits64,
      """
      41808018fcffff01  add byte ptr [r8 - 1000], 1
      6683040bff  add word ptr [rbx + rcx], -1
      66814473088000  add word ptr [rbx + 2*rsi + 8], 128
      48830df0ffffff01  or qword ptr [rip - 16], 1
      67800c90ff  or byte ptr [eax + 4*edx], -1
      6748810d0800000080000000  or qword ptr [eip + 8], 128
      66831080  adc word ptr [rax], -128
      48835500ff  adc qword ptr [rbp], -1
      4881142480000000  adc qword ptr [rsp], 128
      6641839818fcffff01  sbb word ptr [r8 - 1000], 1
      48831c0b01  sbb qword ptr [rbx + rcx], 1
      48815c730880000000  sbb qword ptr [rbx + 2*rsi + 8], 128
      488325f0ffffff7f  and qword ptr [rip - 16], 127
      6766832490ff  and word ptr [eax + 4*edx], -1
      67668125080000003412  and word ptr [eip + 8], 4660
      48832801  sub qword ptr [rax], 1
      66836d0001  sub word ptr [rbp], 1
      48812c240083ffff  sub qword ptr [rsp], -32000
      4180b018fcffff01  xor byte ptr [r8 - 1000], 1
      83340b7f  xor dword ptr [rbx + rcx], 127
      817473087fffffff  xor dword ptr [rbx + 2*rsi + 8], -129
      67833c9001  cmp dword ptr [eax + 4*edx], 1
      6766833d0800000001  cmp word ptr [eip + 8], 1
      6448813c25280000007fffffff  cmp qword ptr fs:[40], -129
      """),
    Listing(
      "One operand", .bits64,
      """
      6548f75008  not qword ptr gs:[rax + 8]
      66f714250000e0fe  not word ptr [-18874368]
      654af71ca5fcffffff  neg qword ptr gs:[4*r12 - 4]
      67f75c240c  neg dword ptr [esp + 12]
      ff00  inc dword ptr [rax]
      fe4500  inc byte ptr [rbp]
      48ff0c24  dec qword ptr [rsp]
      6641ff0c24  dec word ptr [r12]
      """),
    Listing(
      "TEST", .bits64,
      """
      40847310  test byte ptr [rbx + 16], sil
      f645fc01  test byte ptr [rbp - 4], 1
      66858c2480000000  test word ptr [rsp + 128], cx
      6641f78018fcffff80ff  test word ptr [r8 - 1000], -128
      85140b  test dword ptr [rbx + rcx], edx
      f744730801000000  test dword ptr [rbx + 2*rsi + 8], 1
      4a854c8df8  test qword ptr [rbp + 4*r9 - 8], rcx
      4bf784fd7856341240000000  test qword ptr [r13 + 8*r15 + 305419896], 64
      """),
    Listing(
      "Exchanges", .bits64,
      """
      40863cfd40000000  xchg byte ptr [8*rdi + 64], dil
      4b871422  xchg qword ptr [r10 + r12], rdx
      66f0871534120000  lock xchg word ptr [rip + 4660], dx
      480fb11df0ffffff  cmpxchg qword ptr [rip - 16], rbx
      6766f00fb11c90  lock cmpxchg word ptr [eax + 4*edx], bx
      67f0400fb02508000000  lock cmpxchg byte ptr [eip + 8], spl
      64f00fc11c2528000000  lock xadd dword ptr fs:[40], ebx
      65f0400fc06808  lock xadd byte ptr gs:[rax + 8], bpl
      66f00fc124250000e0fe  lock xadd word ptr [-18874368], sp
      """),
    Listing(
      "Bits", .bits64,
      """
      654a0fa324a5fcffffff  bt qword ptr gs:[4*r12 - 4], rsp
      67480fba64240c00  bt qword ptr [esp + 12], 0
      0fa320  bt dword ptr [rax], esp
      0fba650000  bt dword ptr [rbp], 0
      660fab2c24  bts word ptr [rsp], bp
      66410fba2c2400  bts word ptr [r12], 0
      490fab6d00  bts qword ptr [r13], rbp
      480fba6b1000  bts qword ptr [rbx + 16], 0
      f00fb36dfc  lock btr dword ptr [rbp - 4], ebp
      f00fbab4248000000005  lock btr dword ptr [rsp + 128], 5
      66410fb3b018fcffff  btr word ptr [r8 - 1000], si
      660fba340b00  btr word ptr [rbx + rcx], 0
      f00fbb747308  lock btc dword ptr [rbx + 2*rsi + 8], esi
      f0420fba7c8df800  lock btc dword ptr [rbp + 4*r9 - 8], 0
      4b0fbbb4fd78563412  btc qword ptr [r13 + 8*r15 + 305419896], rsi
      480fba3cfd4000000005  btc qword ptr [8*rdi + 64], 5
      """),
    Listing(
      "LOCK", .bits64,
      """
      f04b013c22  lock add qword ptr [r10 + r12], rdi
      f04c090534120000  lock or qword ptr [rip + 4660], r8
      f04c2125f0ffffff  lock and qword ptr [rip - 16], r12
      67f04c313c90  lock xor qword ptr [eax + 4*edx], r15
      67f0fe0508000000  lock inc byte ptr [eip + 8]
      64f048ff0c2528000000  lock dec qword ptr fs:[40]
      65f048f75008  lock not qword ptr gs:[rax + 8]
      """),
    Listing(
      "PUSH", .bits64,
      """
      66ff34250000e0fe  push word ptr [-18874368]
      656642ff34a5fcffffff  push word ptr gs:[4*r12 - 4]
      67ff74240c  push qword ptr [esp + 12]
      ff30  push qword ptr [rax]
      """),
    Listing(
      "Strings", .bits64,
      """
      a4  movsb byte ptr es:[rdi], byte ptr [rsi]
      aa  stosb byte ptr es:[rdi], al
      f3a4  rep movsb byte ptr es:[rdi], byte ptr [rsi]
      f3aa  rep stosb byte ptr es:[rdi], al
      ac  lodsb al, byte ptr [rsi]
      66a5  movsw word ptr es:[rdi], word ptr [rsi]
      66ab  stosw word ptr es:[rdi], ax
      f366a5  rep movsw word ptr es:[rdi], word ptr [rsi]
      f366ab  rep stosw word ptr es:[rdi], ax
      66ad  lodsw ax, word ptr [rsi]
      a5  movsd dword ptr es:[rdi], dword ptr [rsi]
      ab  stosd dword ptr es:[rdi], eax
      f3a5  rep movsd dword ptr es:[rdi], dword ptr [rsi]
      f3ab  rep stosd dword ptr es:[rdi], eax
      ad  lodsd eax, dword ptr [rsi]
      48a5  movsq qword ptr es:[rdi], qword ptr [rsi]
      48ab  stosq qword ptr es:[rdi], rax
      f348a5  rep movsq qword ptr es:[rdi], qword ptr [rsi]
      f348ab  rep stosq qword ptr es:[rdi], rax
      48ad  lodsq rax, qword ptr [rsi]
      f367a4  rep movsb byte ptr es:[edi], byte ptr [esi]
      65a4  movsb byte ptr es:[rdi], byte ptr gs:[rsi]
      6664ad  lodsw ax, word ptr fs:[rsi]
      """),
    Listing(
      "Ports: strings", .bits64,
      """
      6c  insb byte ptr es:[rdi], dx
      6e  outsb dx, byte ptr [rsi]
      f36c  rep insb byte ptr es:[rdi], dx
      f36e  rep outsb dx, byte ptr [rsi]
      666d  insw word ptr es:[rdi], dx
      666f  outsw dx, word ptr [rsi]
      f3666d  rep insw word ptr es:[rdi], dx
      f3666f  rep outsw dx, word ptr [rsi]
      6d  insd dword ptr es:[rdi], dx
      6f  outsd dx, dword ptr [rsi]
      f36d  rep insd dword ptr es:[rdi], dx
      f36f  rep outsd dx, dword ptr [rsi]
      f364676e  rep outsb dx, byte ptr fs:[esi]
      """),
    Listing(
      "Ports", .bits64,
      """
      e471  in al, 113
      e681  out 129, al
      ec  in al, dx
      ee  out dx, al
      66e572  in ax, 114
      66e782  out 130, ax
      66ed  in ax, dx
      66ef  out dx, ax
      e574  in eax, 116
      e784  out 132, eax
      ed  in eax, dx
      ef  out dx, eax
      """),
    Listing(
      "Control registers", .bits64,
      """
      0f20c2  mov rdx, cr0
      0f22c3  mov cr0, rbx
      0f20d4  mov rsp, cr2
      0f22d5  mov cr2, rbp
      0f20de  mov rsi, cr3
      0f22df  mov cr3, rdi
      410f20e0  mov r8, cr4
      410f22e4  mov cr4, r12
      450f20c7  mov r15, cr8
      440f22c0  mov cr8, rax
      0f06  clts
      660f01e0  smsw ax
      0f01e0  smsw eax
      0f016500  smsw word ptr [rbp]
      0f01f1  lmsw cx
      0f013424  lmsw word ptr [rsp]
      410f013c24  invlpg byte ptr [r12]
      480f01e0  smsw rax
      410f01e1  smsw r9d
      """),
    Listing(
      "MOV: offsets", .bits64,
      """
      a0f0debc9a78563412  mov al, byte ptr [1311768467463790320]
      a2f0debc9a78563412  mov byte ptr [1311768467463790320], al
      64a11032547698badcfe  mov eax, dword ptr fs:[-81985529216486896]
      64a31032547698badcfe  mov dword ptr fs:[-81985529216486896], eax
      48a10000e0fe00000000  mov rax, qword ptr [4276092928]
      48a30000e0fe00000000  mov qword ptr [4276092928], rax
      """),
  ]
}
