/** Who stands in the events of steps that ingress takes: requests and voids name the client. */
export const SAGA = 'saga';
