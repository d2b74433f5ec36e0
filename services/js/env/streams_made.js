// process.stdout and process.stderr by descriptor, once the program has asked for them.
'use strict';

module.exports = {};
