// How many workgroups a row of them has, where there are more than fit into one: MOST_GROUPS of
// src/gpu/dispatch/workgroups.rs. A constant, because HLSL has no number of workgroups, and what
// naga writes in its place is right in an entry point alone.
const ACROSS = 65535u;
