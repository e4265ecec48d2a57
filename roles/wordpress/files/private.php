<?php
/**
 * Plugin Name: No requests to third parties
 * Description: A visitor's browser talks to this site alone: no emoji images from s.w.org.
 *
 * Copyright (c) 2026 The dockhost.azure authors
 * GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

add_action(
	'init',
	static function () {
		remove_action( 'wp_head', 'print_emoji_detection_script', 7 );
		remove_action( 'admin_print_scripts', 'print_emoji_detection_script' );
		remove_action( 'wp_print_styles', 'print_emoji_styles' );
		remove_action( 'wp_enqueue_scripts', 'wp_enqueue_emoji_styles' );
		add_filter( 'emoji_svg_url', '__return_false' );
	}
);
