// SPDX-License-Identifier: Apache-2.0
import X86

/// Encodings of 32-bit code.
extension Listing {
  static let bits32: [Listing] = [
    Listing(
      "MOV: addresses", .bits32,
      """
      8a00  mov al, byte ptr [eax]
      668b4500  mov ax, word ptr [ebp]
      8b0424  mov eax, dword ptr [esp]
      8a4b10  mov cl, byte ptr [ebx + 16]
      668b4dfc  mov cx, word ptr [ebp - 4]
      8b8c2480000000  mov ecx, dword ptr [esp + 128]
      8a140b  mov dl, byte ptr [ebx + ecx]
      668b547308  mov dx, word ptr [ebx + 2*esi + 8]
      8b54bdf8  mov edx, dword ptr [ebp + 4*edi - 8]
      8a1cfd40000000  mov bl, byte ptr [8*edi + 64]
      668b1d78563412  mov bx, word ptr [305419896]
      268b1f  mov ebx, dword ptr es:[edi]
      648a6104  mov ah, byte ptr fs:[ecx + 4]
      36668b20  mov sp, word ptr ss:[eax]
      8b250000e0fe  mov esp, dword ptr [-18874368]
      678a28  mov ch, byte ptr [bx + si]
      67668b6bfe  mov bp, word ptr [bp + di - 2]
      3e8b6d08  mov ebp, dword ptr ds:[ebp + 8]
      2e8ab6e8030000  mov dh, byte ptr cs:[esi + 1000]
      """),
    Listing(
      "MOV: registers", .bits32,
      """
      887d00  mov byte ptr [ebp], bh
      880424  mov byte ptr [esp], al
      884b10  mov byte ptr [ebx + 16], cl
      6689b42480000000  mov word ptr [esp + 128], si
      66893c0b  mov word ptr [ebx + ecx], di
      6689447308  mov word ptr [ebx + 2*esi + 8], ax
      8934fd40000000  mov dword ptr [8*edi + 64], esi
      893d78563412  mov dword ptr [305419896], edi
      268907  mov dword ptr es:[edi], eax
      """),
    Listing(
      "MOV: constants", .bits32,
      """
      c645fcff  mov byte ptr [ebp - 4], -1
      66c744bdf83412  mov word ptr [ebp + 4*edi - 8], 4660
      64c74104ffffffff  mov dword ptr fs:[ecx + 4], -1
      """),
    Listing(
      "MOV: extended", .bits32,
      """
      36660fb608  movzx cx, byte ptr ss:[eax]
      660fbe150000e0fe  movsx dx, byte ptr [-18874368]
      670fb608  movzx ecx, byte ptr [bx + si]
      670fb753fe  movzx edx, word ptr [bp + di - 2]
      3e0fbe5d08  movsx ebx, byte ptr ds:[ebp + 8]
      2e0fbfa6e8030000  movsx esp, word ptr cs:[esi + 1000]
      """),
    Listing(
      "Arithmetic: into memory", .bits32,
      """
      0010  add byte ptr [eax], dl
      016d00  add dword ptr [ebp], ebp
      66011c24  add word ptr [esp], bx
      0974bdf8  or dword ptr [ebp + 4*edi - 8], esi
      0824fd40000000  or byte ptr [8*edi + 64], ah
      66092d78563412  or word ptr [305419896], bp
      67117bfe  adc dword ptr [bp + di - 2], edi
      3e66117d08  adc word ptr ds:[ebp + 8], di
      2e10b6e8030000  adc byte ptr cs:[esi + 1000], dh
      18842480000000  sbb byte ptr [esp + 128], al
      190c0b  sbb dword ptr [ebx + ecx], ecx
      6619447308  sbb word ptr [ebx + 2*esi + 8], ax
      362118  and dword ptr ss:[eax], ebx
      200d0000e0fe  and byte ptr [-18874368], cl
      67662110  and word ptr [bx + si], dx
      292c24  sub dword ptr [esp], ebp
      66295b10  sub word ptr [ebx + 16], bx
      285dfc  sub byte ptr [ebp - 4], bl
      313d78563412  xor dword ptr [305419896], edi
      26302f  xor byte ptr es:[edi], ch
      6466316104  xor word ptr fs:[ecx + 4], sp
      2e38b6e8030000  cmp byte ptr cs:[esi + 1000], dh
      3908  cmp dword ptr [eax], ecx
      66397500  cmp word ptr [ebp], si
      """),
    Listing(
      "Arithmetic: into a register", .bits32,
      """
      025b10  add bl, byte ptr [ebx + 16]
      660365fc  add sp, word ptr [ebp - 4]
      26660b37  or si, word ptr es:[edi]
      640a6904  or ch, byte ptr fs:[ecx + 4]
      1238  adc bh, byte ptr [eax]
      134500  adc eax, dword ptr [ebp]
      1b54bdf8  sbb edx, dword ptr [ebp + 4*edi - 8]
      661b0cfd40000000  sbb cx, word ptr [8*edi + 64]
      672363fe  and esp, dword ptr [bp + di - 2]
      3e225508  and dl, byte ptr ds:[ebp + 8]
      2bb42480000000  sub esi, dword ptr [esp + 128]
      2a240b  sub ah, byte ptr [ebx + ecx]
      36663328  xor bp, word ptr ss:[eax]
      33050000e0fe  xor eax, dword ptr [-18874368]
      3a3c24  cmp bh, byte ptr [esp]
      663b7b10  cmp di, word ptr [ebx + 16]
      """),
    Listing(
      "Arithmetic: constants", .bits32,
      """
      808424800000007f  add byte ptr [esp + 128], 127
      83040b01  add dword ptr [ebx + ecx], 1
      66814473088000  add word ptr [ebx + 2*esi + 8], 128
      36800880  or byte ptr ss:[eax], -128
      830d0000e0feff  or dword ptr [-18874368], -1
      6781087fffffff  or dword ptr [bx + si], -129
      6683142480  adc word ptr [esp], -128
      83531080  adc dword ptr [ebx + 16], -128
      8155fc80000000  adc dword ptr [ebp - 4], 128
      66831d7856341201  sbb word ptr [305419896], 1
      26801fff  sbb byte ptr es:[edi], -1
      6481590434120000  sbb dword ptr fs:[ecx + 4], 4660
      2e83a6e80300007f  and dword ptr cs:[esi + 1000], 127
      668320ff  and word ptr [eax], -1
      81650034120000  and dword ptr [ebp], 4660
      806c7308ff  sub byte ptr [ebx + 2*esi + 8], -1
      66836cbdf8ff  sub word ptr [ebp + 4*edi - 8], -1
      812cfd400000007fffffff  sub dword ptr [8*edi + 64], -129
      676683307f  xor word ptr [bx + si], 127
      678073fe80  xor byte ptr [bp + di - 2], -128
      3e8175087fffffff  xor dword ptr ds:[ebp + 8], -129
      807dfcff  cmp byte ptr [ebp - 4], -1
      6683bc248000000080  cmp word ptr [esp + 128], -128
      66813c0b0083  cmp word ptr [ebx + ecx], -32000
      """),
    Listing(
      "One operand", .bits32,
      """
      f7547308  not dword ptr [ebx + 2*esi + 8]
      66f754bdf8  not word ptr [ebp + 4*edi - 8]
      f71cfd40000000  neg dword ptr [8*edi + 64]
      f61d78563412  neg byte ptr [305419896]
      26ff07  inc dword ptr es:[edi]
      64fe4104  inc byte ptr fs:[ecx + 4]
      3666ff08  dec word ptr ss:[eax]
      fe0d0000e0fe  dec byte ptr [-18874368]
      """),
    Listing(
      "TEST", .bits32,
      """
      678400  test byte ptr [bx + si], al
      67f643fe40  test byte ptr [bp + di - 2], 64
      3e66854508  test word ptr ds:[ebp + 8], ax
      2e66f786e80300000100  test word ptr cs:[esi + 1000], 1
      8510  test dword ptr [eax], edx
      f7450040000000  test dword ptr [ebp], 64
      """),
    Listing(
      "Exchanges", .bits32,
      """
      f0871c24  lock xchg dword ptr [esp], ebx
      66f0874b10  lock xchg word ptr [ebx + 16], cx
      f0864dfc  lock xchg byte ptr [ebp - 4], cl
      0fb1a42480000000  cmpxchg dword ptr [esp + 128], esp
      0fb0140b  cmpxchg byte ptr [ebx + ecx], dl
      660fb1547308  cmpxchg word ptr [ebx + 2*esi + 8], dx
      f00fc05cbdf8  lock xadd byte ptr [ebp + 4*edi - 8], bl
      66f00fc11cfd40000000  lock xadd word ptr [8*edi + 64], bx
      0fc12d78563412  xadd dword ptr [305419896], ebp
      """),
    Listing(
      "Bits", .bits32,
      """
      26660fa327  bt word ptr es:[edi], sp
      64660fba610400  bt word ptr fs:[ecx + 4], 0
      360fa330  bt dword ptr ss:[eax], esi
      0fba250000e0fe1f  bt dword ptr [-18874368], 31
      6766f00fab28  lock bts word ptr [bx + si], bp
      6766f00fba6bfe00  lock bts word ptr [bp + di - 2], 0
      3e0fab7d08  bts dword ptr ds:[ebp + 8], edi
      2e0fbaaee803000000  bts dword ptr cs:[esi + 1000], 0
      f00fb300  lock btr dword ptr [eax], eax
      f00fba75001f  lock btr dword ptr [ebp], 31
      660fb33424  btr word ptr [esp], si
      660fba73101f  btr word ptr [ebx + 16], 31
      f00fbb4dfc  lock btc dword ptr [ebp - 4], ecx
      f00fbabc248000000000  lock btc dword ptr [esp + 128], 0
      660fbb3c0b  btc word ptr [ebx + ecx], di
      660fba7c73081f  btc word ptr [ebx + 2*esi + 8], 31
      """),
    Listing(
      "LOCK", .bits32,
      """
      66f00144bdf8  lock add word ptr [ebp + 4*edi - 8], ax
      66f0090cfd40000000  lock or word ptr [8*edi + 64], cx
      f0211578563412  lock and dword ptr [305419896], edx
      26f0311f  lock xor dword ptr es:[edi], ebx
      64f0ff4104  lock inc dword ptr fs:[ecx + 4]
      3666f0ff08  lock dec word ptr ss:[eax]
      f0f7150000e0fe  lock not dword ptr [-18874368]
      """),
    Listing(
      "PUSH", .bits32,
      """
      6766ff30  push word ptr [bx + si]
      6766ff73fe  push word ptr [bp + di - 2]
      3eff7508  push dword ptr ds:[ebp + 8]
      2effb6e8030000  push dword ptr cs:[esi + 1000]
      """),
    Listing(
      "Strings", .bits32,
      """
      a4  movsb byte ptr es:[edi], byte ptr [esi]
      aa  stosb byte ptr es:[edi], al
      f3a4  rep movsb byte ptr es:[edi], byte ptr [esi]
      f3aa  rep stosb byte ptr es:[edi], al
      ac  lodsb al, byte ptr [esi]
      66a5  movsw word ptr es:[edi], word ptr [esi]
      66ab  stosw word ptr es:[edi], ax
      f366a5  rep movsw word ptr es:[edi], word ptr [esi]
      f366ab  rep stosw word ptr es:[edi], ax
      66ad  lodsw ax, word ptr [esi]
      a5  movsd dword ptr es:[edi], dword ptr [esi]
      ab  stosd dword ptr es:[edi], eax
      f3a5  rep movsd dword ptr es:[edi], dword ptr [esi]
      f3ab  rep stosd dword ptr es:[edi], eax
      ad  lodsd eax, dword ptr [esi]
      f367a4  rep movsb byte ptr es:[di], byte ptr [si]
      65a4  movsb byte ptr es:[edi], byte ptr gs:[esi]
      6664ad  lodsw ax, word ptr fs:[esi]
      """),
    Listing(
      "Ports: strings", .bits32,
      """
      6c  insb byte ptr es:[edi], dx
      6e  outsb dx, byte ptr [esi]
      f36c  rep insb byte ptr es:[edi], dx
      f36e  rep outsb dx, byte ptr [esi]
      666d  insw word ptr es:[edi], dx
      666f  outsw dx, word ptr [esi]
      f3666d  rep insw word ptr es:[edi], dx
      f3666f  rep outsw dx, word ptr [esi]
      6d  insd dword ptr es:[edi], dx
      6f  outsd dx, dword ptr [esi]
      f36d  rep insd dword ptr es:[edi], dx
      f36f  rep outsd dx, dword ptr [esi]
      f364676e  rep outsb dx, byte ptr fs:[si]
      """),
    Listing(
      "Ports", .bits32,
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
      "Control registers", .bits32,
      """
      0f20c6  mov esi, cr0
      0f22c7  mov cr0, edi
      0f20d0  mov eax, cr2
      0f22d1  mov cr2, ecx
      0f20da  mov edx, cr3
      0f22db  mov cr3, ebx
      0f20e4  mov esp, cr4
      0f22e5  mov cr4, ebp
      0f06  clts
      660f01e0  smsw ax
      0f01e0  smsw eax
      0f0120  smsw word ptr [eax]
      0f01f1  lmsw cx
      0f017500  lmsw word ptr [ebp]
      0f013c24  invlpg byte ptr [esp]
      """),
  ]
}
