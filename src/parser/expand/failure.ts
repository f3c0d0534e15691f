/** Leaves an expansion, with what is wrong as its message; never seen outside of this folder. */
export class Failure extends Error {}
