/** How sandboxd ends where hardly any space is left on the disk that its workspace shares: ENOSPC of errno.h. */
export const DISK_FULL_EXIT = 28;
