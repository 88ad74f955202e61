export { start, type ProjectorProcess } from './start.js';
export { rebuildProjections, type RebuildProjectionsOptions } from './rebuild-projections.js';
export type { RebuildSummary } from './rebuild.js';
export { ProjectionFold } from './projected-rows.js';
export { MessageHandler } from './message-handler.js';
export { ShardProjection, type ProjectionStore } from './shard-projection.js';
