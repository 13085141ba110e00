// SPDX-License-Identifier: GPL-2.0
/* The monitor's image: a static ELF file, believed only after every number was checked. */
#include <linux/elf.h>
#include <linux/firmware.h>
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/pgtable_types.h>

#include <crypto/sha2.h>

#include "apus_image.h"
#include "lend.h"

#define FIRMWARE "apus/monitor"
#define IMAGE_PAGES ((APUS_WINDOW_BASE - APUS_IMAGE_BASE) / PAGE_SIZE)
#define MOST_SEGMENTS 16
#define MOST_RULES 1024

struct apus_image {
	void *memory; /* from APUS_IMAGE_BASE on, as it looks before its first instruction */
	size_t size;
	u64 entry;
	const struct apus_image_header *header;
	u64 flags[IMAGE_PAGES]; /* of page table entries; 0: nothing there */
};

/* Of the image that this driver was built with: Driver/Makefile. */
static const u8 built_with[SHA256_DIGEST_SIZE] = { APUS_IMAGE_SHA256 };

static bool any_image;
module_param(any_image, bool, 0444);
MODULE_PARM_DESC(any_image, "start a monitor that this driver was not built with, unless the kernel is locked down: for those who develop it");

static DEFINE_MUTEX(image_lock);
static struct apus_image *the_image; /* never changes once it is there */

/* The monitor runs as the kernel does, so what is asked of modules is asked of it. */
static int check_digest(const struct firmware *file)
{
	u8 digest[SHA256_DIGEST_SIZE];
	int error;

	sha256(file->data, file->size, digest);
	if (!memcmp(digest, built_with, sizeof(digest)))
		return 0;
	if (!any_image) {
		pr_err_ratelimited("firmware file %s is not the monitor that this driver was built with: install both from one build\n",
				   FIRMWARE);
		return -EKEYREJECTED;
	}
	error = security_locked_down(LOCKDOWN_MODULE_SIGNATURE);
	if (error) {
		pr_err_ratelimited("firmware file %s is not the monitor that this driver was built with, and this kernel is locked down: any_image does not hold\n",
				   FIRMWARE);
		return -EKEYREJECTED;
	}
	pr_warn("firmware file %s is not the monitor that this driver was built with; it is started as any_image is set\n",
		FIRMWARE);
	return 0;
}

static int check_file(const struct firmware *file)
{
	const Elf64_Ehdr *elf = (const void *)file->data;

	if (file->size < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if (elf->e_machine != EM_X86_64 || elf->e_type != ET_EXEC)
		return -ENOEXEC;
	if (elf->e_phentsize != sizeof(Elf64_Phdr) || !elf->e_phnum ||
	    elf->e_phnum > MOST_SEGMENTS)
		return -ENOEXEC;
	if (elf->e_phoff > file->size || !IS_ALIGNED(elf->e_phoff, 8) ||
	    elf->e_phnum * sizeof(Elf64_Phdr) > file->size - elf->e_phoff)
		return -ENOEXEC;
	return 0;
}

static int check_segment(const struct firmware *file, const Elf64_Phdr *segment)
{
	if (segment->p_filesz > segment->p_memsz || segment->p_offset > file->size ||
	    segment->p_filesz > file->size - segment->p_offset)
		return -ENOEXEC;
	if (!PAGE_ALIGNED(segment->p_vaddr) || segment->p_vaddr < APUS_IMAGE_BASE ||
	    segment->p_vaddr >= APUS_WINDOW_BASE ||
	    segment->p_memsz > APUS_WINDOW_BASE - segment->p_vaddr)
		return -ENOEXEC;
	/* Nothing that can be written is ever executed. */
	if (!(segment->p_flags & PF_R) ||
	    (segment->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return -ENOEXEC;
	return 0;
}

static u64 page_flags(u32 access)
{
	u64 flags = _PAGE_PRESENT | _PAGE_ACCESSED;

	if (access & PF_W)
		flags |= _PAGE_RW | _PAGE_DIRTY;
	if (!(access & PF_X))
		flags |= _PAGE_NX;
	return flags;
}

static int load_segment(struct apus_image *image, const struct firmware *file,
			const Elf64_Phdr *segment)
{
	size_t offset = segment->p_vaddr - APUS_IMAGE_BASE;
	unsigned int first = offset / PAGE_SIZE;
	unsigned int end = DIV_ROUND_UP(offset + segment->p_memsz, PAGE_SIZE);
	unsigned int page;

	for (page = first; page < end; page++) {
		if (image->flags[page])
			return -ENOEXEC; /* overlaps another segment */
		image->flags[page] = page_flags(segment->p_flags);
	}
	memcpy(image->memory + offset, file->data + segment->p_offset, segment->p_filesz);
	image->size = max_t(size_t, image->size, (size_t)end * PAGE_SIZE);
	return 0;
}

static int load_segments(struct apus_image *image, const struct firmware *file)
{
	const Elf64_Ehdr *elf = (const void *)file->data;
	const Elf64_Phdr *segments = (const void *)file->data + elf->e_phoff;
	int i, error;

	for (i = 0; i < elf->e_phnum; i++) {
		const Elf64_Phdr *segment = &segments[i];

		/* Nobody is there who would relocate or interpret it. */
		if (segment->p_type == PT_DYNAMIC || segment->p_type == PT_INTERP ||
		    segment->p_type == PT_TLS)
			return -ENOEXEC;
		if (segment->p_type != PT_LOAD || !segment->p_memsz)
			continue;
		error = check_segment(file, segment);
		if (!error)
			error = load_segment(image, file, segment);
		if (error)
			return error;
		if (!image->header && segment->p_filesz >= sizeof(*image->header))
			image->header =
				image->memory + (segment->p_vaddr - APUS_IMAGE_BASE);
	}
	image->entry = elf->e_entry;
	return image->header ? 0 : -ENOEXEC;
}

/* `size` bytes of the image at a virtual address, or NULL if not all of them exist. */
const void *image_at(const struct apus_image *image, u64 address, u64 size)
{
	u64 page;

	if (address < APUS_IMAGE_BASE || address >= APUS_WINDOW_BASE ||
	    size > APUS_WINDOW_BASE - address)
		return NULL;
	address -= APUS_IMAGE_BASE;
	for (page = address / PAGE_SIZE; page * PAGE_SIZE < address + size; page++)
		if (!image->flags[page])
			return NULL;
	return image->memory + address;
}

static int check_header(const struct apus_image *image)
{
	const struct apus_image_header *header = image->header;
	const void *entry = image_at(image, image->entry, 1);

	if (header->magic != APUS_IMAGE_MAGIC)
		return -ENOEXEC;
	if (header->abi_version != APUS_ABI_VERSION) {
		pr_err("%s has version %u of the interface, the driver has %u\n", FIRMWARE,
		       header->abi_version, APUS_ABI_VERSION);
		return -ENOEXEC;
	}
	if (!header->trampoline_size || header->trampoline_size > APUS_TRAMPOLINE_ARGUMENTS ||
	    !image_at(image, header->trampoline, header->trampoline_size))
		return -ENOEXEC;
	if (header->cpuid_rule_count > MOST_RULES || header->cpuid_rules % 4 ||
	    !image_at(image, header->cpuid_rules,
		      header->cpuid_rule_count * sizeof(struct apus_cpuid_rule)))
		return -ENOEXEC;
	if (header->msr_count > MOST_RULES || header->msrs % 4 ||
	    !image_at(image, header->msrs, header->msr_count * sizeof(u32)))
		return -ENOEXEC;
	if (header->feature_msr_count > MOST_RULES || header->feature_msrs % 8 ||
	    !image_at(image, header->feature_msrs,
		      header->feature_msr_count * sizeof(struct apus_feature_msr)))
		return -ENOEXEC;
	if (!entry || (image->flags[(image->entry - APUS_IMAGE_BASE) / PAGE_SIZE] & _PAGE_NX))
		return -ENOEXEC;
	return 0;
}

static void free_image(struct apus_image *image)
{
	if (image)
		vfree(image->memory);
	kfree(image);
}

static struct apus_image *load(const struct firmware *file)
{
	struct apus_image *image = kzalloc(sizeof(*image), GFP_KERNEL);
	int error = -ENOMEM;

	if (!image)
		return ERR_PTR(-ENOMEM);
	image->memory = vzalloc(IMAGE_PAGES * PAGE_SIZE);
	if (image->memory)
		error = check_digest(file);
	if (!error)
		error = check_file(file);
	if (!error)
		error = load_segments(image, file);
	if (!error)
		error = check_header(image);
	if (!error)
		return image;
	free_image(image);
	return ERR_PTR(error);
}

/* The image, read at first use and kept; or an error, and the next call tries again. */
const struct apus_image *image_get(void)
{
	struct apus_image *image;
	const struct firmware *file;
	int error;

	if (mutex_lock_killable(&image_lock))
		return ERR_PTR(-EINTR);
	image = the_image;
	if (image)
		goto unlock;
	error = firmware_request_nowarn(&file, FIRMWARE, apus_device());
	if (error) {
		pr_err_ratelimited("firmware file %s: error %d\n", FIRMWARE, error);
		image = ERR_PTR(error);
		goto unlock;
	}
	image = load(file);
	release_firmware(file);
	if (!IS_ERR(image))
		the_image = image;
	else if (image != ERR_PTR(-EKEYREJECTED)) /* of which check_digest() has told */
		pr_err_ratelimited("firmware file %s is not a monitor: error %ld\n", FIRMWARE,
				   PTR_ERR(image));
unlock:
	mutex_unlock(&image_lock);
	return image;
}

void image_free(void)
{
	free_image(the_image);
	the_image = NULL;
}

size_t image_size(const struct apus_image *image)
{
	return image->size;
}

const struct apus_image_header *image_header(const struct apus_image *image)
{
	return image->header;
}

u64 image_entry(const struct apus_image *image)
{
	return image->entry;
}

void image_copy(const struct apus_image *image, void *target)
{
	memcpy(target, image->memory, image->size);
}

u64 image_page_flags(const struct apus_image *image, unsigned int page)
{
	return image->flags[page];
}

MODULE_FIRMWARE(FIRMWARE);
