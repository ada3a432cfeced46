/** What an import costs of which nothing comes: the part that no library can save. */
export const handler = undefined;
