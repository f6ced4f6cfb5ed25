/**
 * What of the kernel is hidden from sandboxes: what Docker and Kubernetes hide, and what only root can read, which is
 * root of a sandbox too where it has no user namespace. Source: containerd v1.6, oci/spec.go, `populateDefaultUnixSpec`
 */
export const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
  "/proc/scsi",
  "/proc/kpagecgroup",
  "/proc/kpagecount",
  "/proc/kpageflags",
  "/proc/pagetypeinfo",
  "/proc/slabinfo",
  "/proc/vmallocinfo",
] as const;

/** What of the kernel sandboxes cannot write. */
export const READONLY_PATHS = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
  // The folder that holds control groups of version 1 is left open: by crun to all, by runc to root.
  "/sys/fs/cgroup",
] as const;
