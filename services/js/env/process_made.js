// `process`, once the program has asked for it.
'use strict';

module.exports = { process: undefined };
