export const answer = 42n === 42n ? 42 : 0;
