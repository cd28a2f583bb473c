'use strict';

const sharp = require('sharp');
const serve = require('./serve.js');

const background = { r: 51, g: 102, b: 153 };
const picture = (width, height) => sharp({ create: { width, height, channels: 3, background } });

serve(
  async (id) => {
    const { info } = await picture(64, 64).resize(8).png().toBuffer({ resolveWithObject: true });
    return info.width === 8 ? id : 'not resized';
  },
  async () => {
    const large = await picture(400, 200).png().toBuffer();
    const { data, info } = await sharp(large).resize(100).webp().toBuffer({ resolveWithObject: true });
    return `${info.format} ${info.width}x${info.height} ${data.subarray(8, 12)}`;
  },
);
