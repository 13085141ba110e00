# SPDX-License-Identifier: Apache-2.0
.PHONY: all setup install monitor standalone boot-sector driver vmm lab demo demo-packages demo-intel bench bench-look check fuzz soak soak-debug debug-kernel debian-root test model format lint clean

IMAGE := .build/monitor/x86_64-unknown-none-elf/release/Monitor
# Where SwiftPM builds what runs on Linux; a second developer in this tree names another one.
SCRATCH ?= .build

all: monitor boot-sector driver vmm lab

# Installs Debian's packages by name; fast when they are there.
setup: lab
	build/apus-lab setup

# For the running kernel, or for KERNEL; as root, after `make`.
PREFIX ?= /usr/local
KERNEL ?= $(shell uname -r)
install:
	install -D build/apus $(DESTDIR)$(PREFIX)/bin/apus
	install -D -m 644 build/monitor $(DESTDIR)/lib/firmware/apus/monitor
	install -D -m 644 build/driver/$(KERNEL)/apus.ko \
	  $(DESTDIR)/lib/modules/$(KERNEL)/updates/apus.ko
	$(if $(DESTDIR),,depmod $(KERNEL))

# A stock guest on a CPU that a stock, emulated host gave up; KVM and bare metal beside it.
# Packages come while Swift compiles; one part's build leaves a processor idle now and then.
demo:
	$(MAKE) -j2 lab monitor
	$(MAKE) -j2 demo-packages vmm
	$(MAKE) driver
	build/apus-lab demo

# The same with VT-x, under Bochs: some minutes.
demo-intel: setup all
	build/apus-lab demo --vendor intel

# Every measurement, beside KVM and bare metal, in about an hour: build/bench/report.html.
bench: all standalone hostile
	build/apus-lab bench

# Whether a browser shows that report without a complaint; needs Debian's chromium.
bench-look: lab
	build/apus-lab bench --look

demo-packages:
	build/apus-lab setup --demo

# What holds of every commit.
check: all standalone hostile lint test
	build/apus-lab image
	build/apus-lab standalone
	build/apus-lab standalone --vendor intel --repeats 2
	build/apus-lab costs --check
	build/apus-lab run --suite check

# A million random privileged operations of guests for each vendor's monitor, in some minutes each,
# from a new seed that is printed and recorded; APUS_LAB_SEED=N repeats one.
fuzz: monitor standalone lab
	build/apus-lab fuzz

# The same and more, many times over.
soak: all hostile debian-root
	build/apus-lab run --suite soak

# A disk with a stock Debian, for a guest; once, as root or by sudo.
debian-root: lab
	build/apus-lab debian-root

# A host kernel with Linux's detectors of a driver's mistakes, and the driver for it; once.
debug-kernel: lab
	build/apus-lab debug-kernel
	$(MAKE) driver

# The driver's scenarios on it.
soak-debug: debug-kernel all hostile
	build/apus-lab run --suite debug

# The image that the driver loads: build/monitor, stripped.
monitor: .build/monitor
	APUS_FREESTANDING=1 swift build --build-system native --scratch-path .build/monitor \
	  --triple x86_64-unknown-none-elf --toolset toolset.json -c release --product Monitor
	mkdir -p build && llvm-objcopy --strip-all $(IMAGE) build/monitor

# SwiftPM does not notice an edit of a C header or of the linker script.
vmm lab test build/hostile build/survey: $(SCRATCH)/headers
$(SCRATCH)/headers: $(wildcard Sources/*/include/*.h)
	rm -rf $(SCRATCH)/*-linux-gnu
	mkdir -p $(@D) && touch $@

.build/monitor: $(wildcard Sources/*/include/*.h) monitor.ld toolset.json
	rm -rf $@
	mkdir -p $@

# The standalone door: build/standalone (PVH, for QEMU), and for Bochs build/standalone.flat and
# build/standalone.rom. It loads build/monitor.
STANDALONE := .build/standalone/x86_64-unknown-none-elf/release/Standalone
standalone: .build/standalone
	APUS_FREESTANDING=1 swift build --build-system native --scratch-path .build/standalone \
	  --triple x86_64-unknown-none-elf --toolset standalone.toolset.json -c release \
	  --product Standalone
	mkdir -p build
	llvm-objcopy --dump-section .rom=build/standalone.rom $(STANDALONE)
	llvm-objcopy -O binary $(STANDALONE) build/standalone.flat
	llvm-objcopy --strip-all $(STANDALONE) build/standalone

.build/standalone: $(wildcard Sources/*/include/*.h Guests/include/*.h Guests/*.inc) standalone.ld \
    standalone.toolset.json
	rm -rf $@
	mkdir -p $@

# The first sector of the disk from which a host boots under Bochs.
boot-sector: build/boot-sector
build/boot-sector: Sources/BootDisk/boot.S
	mkdir -p build
	clang --target=i386-unknown-none-elf -c $< -o $@.o
	ld.lld -m elf_i386 --image-base=0 -Ttext=0x7c00 -e sector --oformat binary $@.o -o $@
	rm $@.o

# build/driver/<kernel release>/apus.ko; it knows its monitor by the digest.
driver: monitor
	$(MAKE) -C Driver

# build/apus: the command, with Swift's libraries inside, so that it runs in an initramfs.
vmm:
	swift build --scratch-path $(SCRATCH) -c release --static-swift-stdlib --product apus
	mkdir -p build && llvm-objcopy --strip-all $(SCRATCH)/release/apus build/apus

# build/apus-lab, and what it has QEMU load to count instructions.
lab: build/qemu-count.so
	swift build --scratch-path $(SCRATCH) --product apus-lab
	mkdir -p build && ln -sf ../$(SCRATCH)/debug/apus-lab build/apus-lab

# Its interface is a part of the program that loads it.
build/qemu-count.so: $(wildcard Sources/QEMUPlugin/*)
	@mkdir -p build
	clang -shared -fPIC -O2 -Wall -Wextra -Werror -fvisibility=hidden \
	  -Wl,--unresolved-symbols=ignore-all Sources/QEMUPlugin/count.c -o $@

# What the lab tries Apus with: a client that calls every ioctl with hostile arguments, monitors that
# are broken in one way each, and guests that end themselves or never end.
.PHONY: hostile
hostile: build/hostile build/survey broken-monitors bad-guests cost-guest conformance-guest

.PHONY: build/hostile build/survey
build/hostile build/survey:
	swift build --scratch-path $(SCRATCH) -c release --static-swift-stdlib \
	  -Xswiftc -static-executable --product $(@F)
	mkdir -p build && llvm-objcopy --strip-all $(SCRATCH)/release/$(@F) $@

BARE := clang --target=x86_64-unknown-none-elf -nostdlib -static -fuse-ld=lld -mno-red-zone
BROKEN := never_arrives never_ready unfit stops_early ignores_bind ignores_calls ignores_run stops \
  ignores_park never_parks
.PHONY: broken-monitors
broken-monitors: $(BROKEN:%=build/broken-monitors/%)
build/broken-monitors/%: $(wildcard Tests/BrokenMonitor/*) Sources/Contract/include/apus.h \
    Sources/Entry/trampoline.S
	@mkdir -p $(@D)
	clang -fsyntax-only -ISources/Contract/include Tests/BrokenMonitor/mailbox.c
	$(BARE) -DMODE=$* -ISources/Entry -Wl,-T,Tests/BrokenMonitor/monitor.ld \
	  Tests/BrokenMonitor/monitor.S -o $@

BAD_GUESTS := $(basename $(notdir $(wildcard Tests/BadGuests/*.S)))
.PHONY: bad-guests
bad-guests: $(BAD_GUESTS:%=build/bad-guests/%)
# Flat, and placed so that the kernel behind the 1 KiB of setup lies where it says.
build/bad-guests/%: Tests/BadGuests/%.S $(wildcard Guests/*.inc)
	@mkdir -p $(@D)
	$(BARE) -IGuests -Wl,-Ttext=0xfffc00,-e,0xfffc00,--oformat=binary $< -o $@

# What an exit costs, for a client of KVM's interface.
.PHONY: cost-guest
cost-guest: build/cost-guest
build/cost-guest: Tests/CostGuest/costs.S $(wildcard Guests/*.inc Guests/include/*.h)
	@mkdir -p $(@D)
	$(BARE) -IGuests -Wl,-Ttext=0xfffc00,-e,0xfffc00,--oformat=binary $< -o $@

# What a guest sees against the manuals, for QEMU on any accelerator.
.PHONY: conformance-guest
conformance-guest: build/conformance-guest
build/conformance-guest: $(wildcard Tests/ConformanceGuest/*)
	@mkdir -p $(@D)
	$(BARE) -O1 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only \
	  -fno-stack-protector -Wl,-T,Tests/ConformanceGuest/guest.ld \
	  Tests/ConformanceGuest/start.S Tests/ConformanceGuest/conformance.c -o $@

test:
	swift test --scratch-path $(SCRATCH)

# What the kick protocol promises, in every interleaving: docs/model/README.md.
model:
	docs/model/check.sh

format:
	swift format --in-place --recursive Package.swift Sources Tests

lint: lab
	build/apus-lab layers
	@! grep -n '#include "\(vm\|driver\|vm/.*\)\.h"' Driver/lend/*
	swift format lint --strict --recursive Package.swift Sources Tests

clean:
	rm -rf .build build
