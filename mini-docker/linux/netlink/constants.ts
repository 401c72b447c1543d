// Names of <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if_link.h> and their neighbours.

/** <linux/netlink.h>: protocols of socket(AF_NETLINK) */
export const NETLINK = { ROUTE: 0, NETFILTER: 12 } as const;

/** <linux/netlink.h>: message types below those of a protocol */
export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3 } as const;

/** <linux/netlink.h>: flags of a message. CREATE and EXCL are for requests that create an object. */
export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  ECHO: 0x8,
  DUMP_INTR: 0x10,
  CAPPED: 0x100,
  ACK_TLVS: 0x200,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  DUMP: 0x300,
} as const;

/** <linux/netlink.h>: bits of an attribute's type */
export const NLA_F = { NESTED: 0x8000, NET_BYTEORDER: 0x4000 } as const;

/** <linux/netlink.h>: attributes of an acknowledgement, and options of the socket that ask for them */
export const NLMSGERR_ATTR = { MSG: 1, OFFS: 2 } as const;
export const SOL_NETLINK = 270;
export const NETLINK_OPTION = { CAP_ACK: 10, EXT_ACK: 11, GET_STRICT_CHK: 12 } as const;

/** <linux/rtnetlink.h>: message types */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  GETADDR: 22,
  NEWROUTE: 24,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWQDISC: 36,
  DELQDISC: 37,
  GETQDISC: 38,
  NEWTCLASS: 40,
  NEWTFILTER: 44,
  GETTFILTER: 46,
  GETNSID: 90,
} as const;

/** <linux/if.h> */
export const IFF = {
  UP: 0x1,
  BROADCAST: 0x2,
  LOOPBACK: 0x8,
  POINTOPOINT: 0x10,
  RUNNING: 0x40,
  NOARP: 0x80,
  PROMISC: 0x100,
  MULTICAST: 0x1000,
  LOWER_UP: 0x10000,
} as const;

/** <linux/if_link.h>: attributes of a link */
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  PROTINFO: 12,
  TXQLEN: 13,
  OPERSTATE: 16,
  LINKINFO: 18,
  NET_NS_PID: 19,
  IFALIAS: 20,
  STATS64: 23,
  AF_SPEC: 26,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  NUM_TX_QUEUES: 31,
  NUM_RX_QUEUES: 32,
  LINK_NETNSID: 37,
} as const;

/** <linux/if_link.h> and <linux/veth.h>: attributes inside IFLA_LINKINFO, _AF_SPEC and _PROTINFO */
export const IFLA_INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const;
export const VETH_INFO_PEER = 1;
export const IFLA_INET6_ADDR_GEN_MODE = 8;
export const IN6_ADDR_GEN_MODE = { EUI64: 0, NONE: 1 } as const;
export const IFLA_BRPORT = { MODE: 4, ISOLATED: 33 } as const;
export const IFLA_VLAN = { ID: 1 } as const;
export const IFLA_MACVLAN = { MODE: 1 } as const;
export const MACVLAN_MODE = { PRIVATE: 1, VEPA: 2, BRIDGE: 4, PASSTHRU: 8 } as const;
export const IFLA_VXLAN = { ID: 1, LOCAL: 4, LEARNING: 7, PROXY: 11, PORT: 15, LOCAL6: 17 } as const;

/** <linux/if_addr.h> */
export const IFA = { ADDRESS: 1, LOCAL: 2, LABEL: 3, BROADCAST: 4, FLAGS: 8 } as const;
export const IFA_F = {
  NODAD: 0x02,
  DADFAILED: 0x08,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  NOPREFIXROUTE: 0x200,
} as const;

/** <linux/rtnetlink.h>: attributes and fields of a route */
/** <linux/net_namespace.h> */
export const NETNSA = { NSID: 1, PID: 2 } as const;

export const RTA = {
  DST: 1,
  SRC: 2,
  IIF: 3,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  PREFSRC: 7,
  METRICS: 8,
  TABLE: 15,
} as const;
export const RT_TABLE = { UNSPEC: 0, DEFAULT: 253, MAIN: 254, LOCAL: 255 } as const;
export const RT_SCOPE = { UNIVERSE: 0, SITE: 200, LINK: 253, HOST: 254, NOWHERE: 255 } as const;
export const RTN = {
  UNSPEC: 0,
  UNICAST: 1,
  LOCAL: 2,
  BROADCAST: 3,
  MULTICAST: 5,
  BLACKHOLE: 6,
  UNREACHABLE: 7,
} as const;
export const RTPROT = { UNSPEC: 0, KERNEL: 2, BOOT: 3, STATIC: 4 } as const;

/** <linux/neighbour.h>: attributes and fields of a neighbour, and of an entry in a forwarding table */
export const NDA = { DST: 1, LLADDR: 2, PORT: 6 } as const;
export const NUD = { NOARP: 0x40, PERMANENT: 0x80 } as const;
export const NTF = { SELF: 0x02 } as const;

/** <linux/rtnetlink.h>, <linux/pkt_sched.h>, <linux/pkt_cls.h>: queueing disciplines, their classes and filters */
export const TCA = { KIND: 1, OPTIONS: 2 } as const;
export const TC_H_ROOT = 0xffff_ffff;
export const TCA_NETEM = { REORDER: 3, CORRUPT: 4, RATE: 6, RATE64: 8, LATENCY64: 10, JITTER64: 11 } as const;
export const TCA_TBF = { PARMS: 1, RATE64: 4, BURST: 6 } as const;
export const TCA_HTB = { PARMS: 1, INIT: 2 } as const;
export const TCA_U32 = { CLASSID: 1, SEL: 5 } as const;
export const TC_U32_TERMINAL = 1;
/** <linux/if_ether.h> */
export const ETH_P = { IP: 0x0800, IPV6: 0x86dd } as const;
