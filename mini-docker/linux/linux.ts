// placeholder until the first real exports land
export {};
