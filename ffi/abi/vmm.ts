/** Ioctls of a virtual machine monitor: include/uapi/linux/{iommufd,vfio,kvm}.h. All structs are little endian. Pure data. */

/** `struct iommu_ioas_alloc`: u32 size, u32 flags, u32 out_ioas_id. */
export const IOMMU_IOAS_ALLOC = 0x3b81;
export const IOAS_ALLOC_SIZE = 12;
/** `struct iommu_ioas_map_file`: u32 size, u32 flags, u32 ioas_id, s32 fd, u64 start, u64 length, u64 iova. */
export const IOMMU_IOAS_MAP_FILE = 0x3b8f;
export const IOAS_MAP_FILE_SIZE = 40;

/** `struct vfio_device_bind_iommufd`: u32 argsz, u32 flags, s32 iommufd, u32 out_devid. */
export const VFIO_DEVICE_BIND_IOMMUFD = 0x3b76;
export const BIND_IOMMUFD_SIZE = 16;
/** `struct vfio_device_attach_iommufd_pt`: u32 argsz, u32 flags, u32 pt_id. */
export const VFIO_DEVICE_ATTACH_IOMMUFD_PT = 0x3b77;
export const ATTACH_IOMMUFD_PT_SIZE = 12;

/** The argument is the type, 0. The answer is an fd. */
export const KVM_CREATE_VM = 0xae01;
/** On the fd of a VM. `struct kvm_create_guest_memfd`: u64 size, u64 flags, u64 reserved[6]. The answer is an fd. */
export const KVM_CREATE_GUEST_MEMFD = 0xc040aed4;
export const GUEST_MEMFD_SIZE = 64;
