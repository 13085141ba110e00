// SPDX-License-Identifier: Apache-2.0
import X86

/// Encodings of 16-bit code.
extension Listing {
  static let bits16: [Listing] = [
    Listing(
      "MOV: addresses", .bits16,
      """
      8a00  mov al, byte ptr [bx + si]
      8b01  mov ax, word ptr [bx + di]
      668b02  mov eax, dword ptr [bp + si]
      8a0b  mov cl, byte ptr [bp + di]
      8b0c  mov cx, word ptr [si]
      668b0d  mov ecx, dword ptr [di]
      8a5600  mov dl, byte ptr [bp]
      8b17  mov dx, word ptr [bx]
      668b163412  mov edx, dword ptr [4660]
      8a5810  mov bl, byte ptr [bx + si + 16]
      8b5efc  mov bx, word ptr [bp - 4]
      668b9de803  mov ebx, dword ptr [di + 1000]
      8aa3d4fe  mov ah, byte ptr [bp + di - 300]
      268b25  mov sp, word ptr es:[di]
      64668b6401  mov esp, dword ptr fs:[si + 1]
      368a2f  mov ch, byte ptr ss:[bx]
      3e8b6e02  mov bp, word ptr ds:[bp + 2]
      67668b28  mov ebp, dword ptr [eax]
      678a748b08  mov dh, byte ptr [ebx + 4*ecx + 8]
      678bb500000100  mov si, word ptr [ebp + 65536]
      2e668b36e803  mov esi, dword ptr cs:[1000]
      """),
    Listing(
      "MOV: registers", .bits16,
      """
      8839  mov byte ptr [bx + di], bh
      8802  mov byte ptr [bp + si], al
      880b  mov byte ptr [bp + di], cl
      893d  mov word ptr [di], di
      894600  mov word ptr [bp], ax
      890f  mov word ptr [bx], cx
      66897810  mov dword ptr [bx + si + 16], edi
      668946fc  mov dword ptr [bp - 4], eax
      66898de803  mov dword ptr [di + 1000], ecx
      """),
    Listing(
      "MOV: constants", .bits16,
      """
      c604ff  mov byte ptr [si], -1
      c70634123412  mov word ptr [4660], 4660
      66c783d4feffffffff  mov dword ptr [bp + di - 300], -1
      """),
    Listing(
      "MOV: extended", .bits16,
      """
      260fb615  movzx dx, byte ptr es:[di]
      640fbe5c01  movsx bx, byte ptr fs:[si + 1]
      36660fb617  movzx edx, byte ptr ss:[bx]
      3e660fb75e02  movzx ebx, word ptr ds:[bp + 2]
      67660fbe20  movsx esp, byte ptr [eax]
      67660fbf6c8b08  movsx ebp, word ptr [ebx + 4*ecx + 8]
      """),
    Listing(
      "Arithmetic: into memory", .bits16,
      """
      67009500000100  add byte ptr [ebp + 65536], dl
      2e660136e803  add dword ptr cs:[1000], esi
      0120  add word ptr [bx + si], sp
      66097e00  or dword ptr [bp], edi
      0827  or byte ptr [bx], ah
      09363412  or word ptr [4660], si
      64106c01  adc byte ptr fs:[si + 1], ch
      361107  adc word ptr ss:[bx], ax
      3e66114e02  adc dword ptr ds:[bp + 2], ecx
      661911  sbb dword ptr [bx + di], edx
      1912  sbb word ptr [bp + si], dx
      183b  sbb byte ptr [bp + di], bh
      66215810  and dword ptr [bx + si + 16], ebx
      204efc  and byte ptr [bp - 4], cl
      21a5e803  and word ptr [di + 1000], sp
      672928  sub word ptr [eax], bp
      67285c8b08  sub byte ptr [ebx + 4*ecx + 8], bl
      676629ad00000100  sub dword ptr [ebp + 65536], ebp
      66313c  xor dword ptr [si], edi
      3135  xor word ptr [di], si
      306e00  xor byte ptr [bp], ch
      663983d4fe  cmp dword ptr [bp + di - 300], eax
      263905  cmp word ptr es:[di], ax
      64387c01  cmp byte ptr fs:[si + 1], bh
      """),
    Listing(
      "Arithmetic: into a register", .bits16,
      """
      0329  add bp, word ptr [bx + di]
      021a  add bl, byte ptr [bp + si]
      0b7810  or di, word ptr [bx + si + 16]
      660b46fc  or eax, dword ptr [bp - 4]
      671230  adc dh, byte ptr [eax]
      67134c8b08  adc cx, word ptr [ebx + 4*ecx + 8]
      1b1c  sbb bx, word ptr [si]
      1a05  sbb al, byte ptr [di]
      2293d4fe  and dl, byte ptr [bp + di - 300]
      26662325  and esp, dword ptr es:[di]
      2e2a26e803  sub ah, byte ptr cs:[1000]
      662b30  sub esi, dword ptr [bx + si]
      333f  xor di, word ptr [bx]
      32363412  xor dh, byte ptr [4660]
      36663b0f  cmp ecx, dword ptr ss:[bx]
      3e3a4602  cmp al, byte ptr ds:[bp + 2]
      """),
    Listing(
      "Arithmetic: constants", .bits16,
      """
      668303ff  add dword ptr [bp + di], -1
      8004ff  add byte ptr [si], -1
      81050083  add word ptr [di], -32000
      808de803ff  or byte ptr [di + 1000], -1
      66838bd4feff  or dword ptr [bp + di - 300], -1
      2666810d80000000  or dword ptr es:[di], 128
      678395000001007f  adc word ptr [ebp + 65536], 127
      2e8016e80380  adc byte ptr cs:[1000], -128
      66811034120000  adc dword ptr [bx + si], 4660
      835e0080  sbb word ptr [bp], -128
      801f80  sbb byte ptr [bx], -128
      66811e341280000000  sbb dword ptr [4660], 128
      646683640101  and dword ptr fs:[si + 1], 1
      368327ff  and word ptr ss:[bx], -1
      3e6681660234120000  and dword ptr ds:[bp + 2], 4660
      8329ff  sub word ptr [bx + di], -1
      66832aff  sub dword ptr [bp + si], -1
      812b0083  sub word ptr [bp + di], -32000
      83701001  xor word ptr [bx + si + 16], 1
      668376fc7f  xor dword ptr [bp - 4], 127
      81b5e8037fff  xor word ptr [di + 1000], -129
      6783387f  cmp word ptr [eax], 127
      6766837c8b0801  cmp dword ptr [ebx + 4*ecx + 8], 1
      6781bd000001003412  cmp word ptr [ebp + 65536], 4660
      """),
    Listing(
      "One operand", .bits16,
      """
      2ef616e803  not byte ptr cs:[1000]
      66f710  not dword ptr [bx + si]
      f719  neg word ptr [bx + di]
      66f71a  neg dword ptr [bp + si]
      fe03  inc byte ptr [bp + di]
      66ff04  inc dword ptr [si]
      ff0d  dec word ptr [di]
      fe4e00  dec byte ptr [bp]
      """),
    Listing(
      "TEST", .bits16,
      """
      840f  test byte ptr [bx], cl
      f606341240  test byte ptr [4660], 64
      854810  test word ptr [bx + si + 16], cx
      f746fc80ff  test word ptr [bp - 4], -128
      668595e803  test dword ptr [di + 1000], edx
      66f783d4fe40000000  test dword ptr [bp + di - 300], 64
      """),
    Listing(
      "Exchanges", .bits16,
      """
      26f08715  lock xchg word ptr es:[di], dx
      64865401  xchg byte ptr fs:[si + 1], dl
      3666f0871f  lock xchg dword ptr ss:[bx], ebx
      3e0fb05e02  cmpxchg byte ptr ds:[bp + 2], bl
      6766f00fb120  lock cmpxchg dword ptr [eax], esp
      670fb15c8b08  cmpxchg word ptr [ebx + 4*ecx + 8], bx
      67660fc1ad00000100  xadd dword ptr [ebp + 65536], ebp
      2e0fc026e803  xadd byte ptr cs:[1000], ah
      0fc120  xadd word ptr [bx + si], sp
      """),
    Listing(
      "Bits", .bits16,
      """
      660fa331  bt dword ptr [bx + di], esi
      660fba2205  bt dword ptr [bp + si], 5
      0fa32b  bt word ptr [bp + di], bp
      0fba2400  bt word ptr [si], 0
      66f00fab3d  lock bts dword ptr [di], edi
      66f00fba6e001f  lock bts dword ptr [bp], 31
      0fab37  bts word ptr [bx], si
      0fba2e341200  bts word ptr [4660], 0
      0fb37810  btr word ptr [bx + si + 16], di
      0fba76fc05  btr word ptr [bp - 4], 5
      660fb385e803  btr dword ptr [di + 1000], eax
      660fbab3d4fe00  btr dword ptr [bp + di - 300], 0
      26f00fbb05  lock btc word ptr es:[di], ax
      64f00fba7c011f  lock btc word ptr fs:[si + 1], 31
      36660fbb0f  btc dword ptr ss:[bx], ecx
      3e660fba7e0205  btc dword ptr ds:[bp + 2], 5
      """),
    Listing(
      "LOCK", .bits16,
      """
      67f00108  lock add word ptr [eax], cx
      6766f009548b08  lock or dword ptr [ebx + 4*ecx + 8], edx
      6766f0219d00000100  lock and dword ptr [ebp + 65536], ebx
      2ef0302ee803  lock xor byte ptr cs:[1000], ch
      f0ff00  lock inc word ptr [bx + si]
      f0ff09  lock dec word ptr [bx + di]
      f0f612  lock not byte ptr [bp + si]
      """),
    Listing(
      "PUSH", .bits16,
      """
      ff33  push word ptr [bp + di]
      ff34  push word ptr [si]
      66ff35  push dword ptr [di]
      66ff7600  push dword ptr [bp]
      """),
    Listing(
      "Strings", .bits16,
      """
      a4  movsb byte ptr es:[di], byte ptr [si]
      aa  stosb byte ptr es:[di], al
      f3a4  rep movsb byte ptr es:[di], byte ptr [si]
      f3aa  rep stosb byte ptr es:[di], al
      ac  lodsb al, byte ptr [si]
      a5  movsw word ptr es:[di], word ptr [si]
      ab  stosw word ptr es:[di], ax
      f3a5  rep movsw word ptr es:[di], word ptr [si]
      f3ab  rep stosw word ptr es:[di], ax
      ad  lodsw ax, word ptr [si]
      66a5  movsd dword ptr es:[di], dword ptr [si]
      66ab  stosd dword ptr es:[di], eax
      f366a5  rep movsd dword ptr es:[di], dword ptr [si]
      f366ab  rep stosd dword ptr es:[di], eax
      66ad  lodsd eax, dword ptr [si]
      f367a4  rep movsb byte ptr es:[edi], byte ptr [esi]
      65a4  movsb byte ptr es:[di], byte ptr gs:[si]
      64ad  lodsw ax, word ptr fs:[si]
      """),
    Listing(
      "Ports: strings", .bits16,
      """
      6c  insb byte ptr es:[di], dx
      6e  outsb dx, byte ptr [si]
      f36c  rep insb byte ptr es:[di], dx
      f36e  rep outsb dx, byte ptr [si]
      6d  insw word ptr es:[di], dx
      6f  outsw dx, word ptr [si]
      f36d  rep insw word ptr es:[di], dx
      f36f  rep outsw dx, word ptr [si]
      666d  insd dword ptr es:[di], dx
      666f  outsd dx, dword ptr [si]
      f3666d  rep insd dword ptr es:[di], dx
      f3666f  rep outsd dx, dword ptr [si]
      f364676e  rep outsb dx, byte ptr fs:[esi]
      """),
    Listing(
      "Ports", .bits16,
      """
      e471  in al, 113
      e681  out 129, al
      ec  in al, dx
      ee  out dx, al
      e572  in ax, 114
      e782  out 130, ax
      ed  in ax, dx
      ef  out dx, ax
      66e574  in eax, 116
      66e784  out 132, eax
      66ed  in eax, dx
      66ef  out dx, eax
      """),
    Listing(
      "Control registers", .bits16,
      """
      0f20c4  mov esp, cr0
      0f22c5  mov cr0, ebp
      0f20d6  mov esi, cr2
      0f22d7  mov cr2, edi
      0f20d8  mov eax, cr3
      0f22d9  mov cr3, ecx
      0f20e2  mov edx, cr4
      0f22e3  mov cr4, ebx
      0f06  clts
      0f01e0  smsw ax
      660f01e0  smsw eax
      0f0127  smsw word ptr [bx]
      0f01f1  lmsw cx
      0f01363412  lmsw word ptr [4660]
      0f017810  invlpg byte ptr [bx + si + 16]
      """),
  ]
}
