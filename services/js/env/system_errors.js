// The names of the system's errors by their (negative) numbers.
'use strict';

module.exports = binding('system_errors');
