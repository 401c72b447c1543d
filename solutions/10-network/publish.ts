// Prints rules that publish a port.   Run: node publish.ts PORT ADDRESS:PORT | nft -f -
const [port = '', target = ''] = process.argv.slice(2);

const rule = `fib daddr type local tcp dport ${port} dnat to ${target}`;

console.log(`
table ip exercise {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ${rule}
  }
  chain output {
    type nat hook output priority -100;
    ${rule}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ct status dnat masquerade
  }
}`);
