/**
 * The sections of estepe.yaml as people write them: each key, its form, its description. Defaults that hang on
 * nothing else stand there; those that hang on other keys (profile, interval) are filled in by fill-in.ts. They must not
 * know files, YAML or the engine.
 */
export * from './sections/data.ts';
export * from './sections/dns.ts';
export * from './sections/drill.ts';
export * from './sections/fence.ts';
export * from './sections/heartbeat.ts';
export * from './sections/location.ts';
export * from './sections/notify.ts';
export * from './sections/peer.ts';
export * from './sections/promotion.ts';
export * from './sections/upkeep.ts';
