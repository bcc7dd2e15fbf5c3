// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attribute group "migration" of the VF: what happened, for tools and for
 * tests, as QEMU shows none of it. Reading neither waits nor sends a command.
 * One file can be written: the format of the log is the operator's choice.
 * docs/sysfs-abi.md says what each file means.
 */
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "lmf_log.h"
#include "lmf_vfio.h"

struct lmf_attr {
	struct device_attribute attr;
	enum lmf_stat which;
};

static struct lmf_vfio_device *lmf_attr_dev(struct device *device)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(device);

	return container_of(core, struct lmf_vfio_device, core);
}

static ssize_t lmf_stat_show(struct device *device,
			     struct device_attribute *attr, char *buf)
{
	struct lmf_attr *lmf = container_of(attr, struct lmf_attr, attr);

	return sysfs_emit(buf, "%lld\n",
			  lmf_stat(&lmf_attr_dev(device)->stats, lmf->which));
}

#define LMF_STAT_ATTR(_name, _which)					\
	static struct lmf_attr lmf_attr_##_name = {			\
		.attr = __ATTR(_name, 0444, lmf_stat_show, NULL),	\
		.which = LMF_STAT_##_which,				\
	}

LMF_STAT_ATTR(resets, RESETS);
LMF_STAT_ATTR(resets_unexpected, RESETS_UNEXPECTED);
LMF_STAT_ATTR(last_error, LAST_ERROR);
LMF_STAT_ATTR(data_size, DATA_SIZE);
LMF_STAT_ATTR(running_ns, RUNNING);
LMF_STAT_ATTR(p2p_start_ns, P2P_START);
LMF_STAT_ATTR(p2p_done_ns, P2P_DONE);
LMF_STAT_ATTR(stop_start_ns, STOP_START);
LMF_STAT_ATTR(stop_done_ns, STOP_DONE);
LMF_STAT_ATTR(last_report_start_ns, LAST_REPORT_START);
LMF_STAT_ATTR(last_report_done_ns, LAST_REPORT_DONE);
LMF_STAT_ATTR(stopped_report_time_ns, STOPPED_REPORT_TIME);
LMF_STAT_ATTR(initial_bytes, INITIAL_BYTES);
LMF_STAT_ATTR(dirty_bytes, DIRTY_BYTES);
LMF_STAT_ATTR(trailer_bytes, TRAILER_BYTES);
LMF_STAT_ATTR(bytes_saved_precopy, BYTES_SAVED_PRECOPY);
LMF_STAT_ATTR(bytes_saved_stop_copy, BYTES_SAVED_STOP_COPY);
LMF_STAT_ATTR(bytes_loaded, BYTES_LOADED);
LMF_STAT_ATTR(chunks, CHUNKS);
LMF_STAT_ATTR(chunk_bytes, CHUNK_BYTES);
LMF_STAT_ATTR(chunk_time_ns, CHUNK_TIME);
LMF_STAT_ATTR(read_wait_time_ns, READ_WAIT_TIME);
LMF_STAT_ATTR(pre_copy_start_ns, PRE_COPY_START);
LMF_STAT_ATTR(pre_copy_read_time_ns, PRE_COPY_READ_TIME);
LMF_STAT_ATTR(stop_copy_start_ns, STOP_COPY_START);
LMF_STAT_ATTR(stop_copy_last_byte_ns, STOP_COPY_LAST_BYTE);
LMF_STAT_ATTR(stop_copy_read_time_ns, STOP_COPY_READ_TIME);
LMF_STAT_ATTR(resuming_start_ns, RESUMING_START);
LMF_STAT_ATTR(load_first_byte_ns, LOAD_FIRST_BYTE);
LMF_STAT_ATTR(load_done_ns, LOAD_DONE);

static ssize_t state_show(struct device *device, struct device_attribute *attr,
			  char *buf)
{
	struct lmf_vfio_device *dev = lmf_attr_dev(device);

	return sysfs_emit(buf, "%s\n",
			  lmf_migration_state_name(lmf_migration_state(dev)));
}
static DEVICE_ATTR_RO(state);

static ssize_t log_format_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	struct lmf_tracker_stats stats;

	lmf_tracker_stats(&lmf_attr_dev(device)->tracker, &stats);
	return sysfs_emit(buf, "%s\n",
			  stats.on ? lmf_tracker_format_name(stats.format) :
				     "off");
}
static DEVICE_ATTR_RO(log_format);

/* And if not, for want of what. */
static ssize_t log_offered_show(struct device *device,
				struct device_attribute *attr, char *buf)
{
	struct lmf_vfio_device *dev = lmf_attr_dev(device);

	return sysfs_emit(buf, "%s\n",
			  dev->core.vdev.log_ops ? "yes" :
			  dev->log_known ? "no-kernel" : "no-device");
}
static DEVICE_ATTR_RO(log_offered);

static ssize_t log_format_choice_show(struct device *device,
				      struct device_attribute *attr, char *buf)
{
	u32 choice = READ_ONCE(lmf_attr_dev(device)->tracker.choice);

	return sysfs_emit(buf, "%s\n", lmf_tracker_format_name(choice));
}

static ssize_t log_format_choice_store(struct device *device,
				       struct device_attribute *attr,
				       const char *buf, size_t count)
{
	return lmf_tracker_prefer(&lmf_attr_dev(device)->tracker, buf) ?: count;
}
static DEVICE_ATTR_RW(log_format_choice);

#define LMF_TRACKER_ATTR(_name, _member)				\
	static ssize_t _name##_show(struct device *device,		\
				    struct device_attribute *attr,	\
				    char *buf)				\
	{								\
		struct lmf_tracker_stats stats;				\
									\
		lmf_tracker_stats(&lmf_attr_dev(device)->tracker,	\
				  &stats);				\
		return sysfs_emit(buf, "%llu\n", (u64)stats._member);	\
	}								\
	static DEVICE_ATTR_RO(_name)

LMF_TRACKER_ATTR(reports, reports);
LMF_TRACKER_ATTR(pages_reported, pages_reported);
LMF_TRACKER_ATTR(log_entries, entries);
LMF_TRACKER_ATTR(log_drains, drains);
LMF_TRACKER_ATTR(log_overflows, overflows);
LMF_TRACKER_ATTR(log_saturations, saturations);

static struct attribute *lmf_migration_attrs[] = {
	&dev_attr_state.attr,
	&lmf_attr_initial_bytes.attr.attr,
	&lmf_attr_dirty_bytes.attr.attr,
	&lmf_attr_trailer_bytes.attr.attr,
	&lmf_attr_data_size.attr.attr,
	&lmf_attr_bytes_saved_precopy.attr.attr,
	&lmf_attr_bytes_saved_stop_copy.attr.attr,
	&lmf_attr_bytes_loaded.attr.attr,
	&lmf_attr_chunks.attr.attr,
	&lmf_attr_chunk_bytes.attr.attr,
	&lmf_attr_chunk_time_ns.attr.attr,
	&lmf_attr_read_wait_time_ns.attr.attr,
	&lmf_attr_resets.attr.attr,
	&lmf_attr_resets_unexpected.attr.attr,
	&lmf_attr_last_error.attr.attr,
	&lmf_attr_pre_copy_start_ns.attr.attr,
	&lmf_attr_pre_copy_read_time_ns.attr.attr,
	&lmf_attr_p2p_start_ns.attr.attr,
	&lmf_attr_p2p_done_ns.attr.attr,
	&lmf_attr_stop_start_ns.attr.attr,
	&lmf_attr_stop_done_ns.attr.attr,
	&lmf_attr_stop_copy_start_ns.attr.attr,
	&lmf_attr_stop_copy_last_byte_ns.attr.attr,
	&lmf_attr_stop_copy_read_time_ns.attr.attr,
	&lmf_attr_resuming_start_ns.attr.attr,
	&lmf_attr_load_first_byte_ns.attr.attr,
	&lmf_attr_load_done_ns.attr.attr,
	&lmf_attr_running_ns.attr.attr,
	&lmf_attr_last_report_start_ns.attr.attr,
	&lmf_attr_last_report_done_ns.attr.attr,
	&lmf_attr_stopped_report_time_ns.attr.attr,
	&dev_attr_reports.attr,
	&dev_attr_pages_reported.attr,
	&dev_attr_log_offered.attr,
	&dev_attr_log_format.attr,
	&dev_attr_log_format_choice.attr,
	&dev_attr_log_entries.attr,
	&dev_attr_log_drains.attr,
	&dev_attr_log_overflows.attr,
	&dev_attr_log_saturations.attr,
	NULL
};

/* A plain vfio-pci device has nothing to tell. */
static bool lmf_migration_group_visible(struct kobject *kobj)
{
	return lmf_attr_dev(kobj_to_dev(kobj))->vf;
}

/* Tools take the state for a sign that the VF can migrate. */
static umode_t lmf_migration_attr_visible(struct kobject *kobj,
					  struct attribute *attr, int n)
{
	if (attr == &dev_attr_state.attr &&
	    !lmf_attr_dev(kobj_to_dev(kobj))->core.vdev.mig_ops)
		return 0;
	return attr->mode;
}

DEFINE_SYSFS_GROUP_VISIBLE(lmf_migration);

static const struct attribute_group lmf_migration_group = {
	.name = "migration",
	.attrs = lmf_migration_attrs,
	.is_visible = SYSFS_GROUP_VISIBLE(lmf_migration),
};

const struct attribute_group *lmf_vfio_groups[] = {
	&lmf_migration_group,
	NULL
};
